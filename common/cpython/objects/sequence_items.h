// The items of a list or a tuple.
#pragma once

#include "common/cpython/objects/item_place.h"
#include "common/cpython/objects/object_reader.h"

#include <optional>

namespace pygc::cpython {

/// As tuple_items() has it, of a list too; of an empty one nothing. Subclasses count. Mirrors
/// PyListObject.ob_item (Include/cpython/listobject.h).
std::optional<TupleItems> sequence_items(ObjectReader& reader, Address container);

} // namespace pygc::cpython
