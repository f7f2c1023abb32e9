// The entries of a table of keys: of a dict, or of the keys that instances of a class share.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <functional>

namespace pygc::cpython {

/// Calls `each` for what has a key and a value until it returns false. `keys`: a PyDictKeysObject.
/// `values`: where the values lie when they lie beside the keys, 0 of a table that has its own.
/// Mirrors dictobject.c, DK_ENTRIES. Errors: corrupt, memory_*.
Result<void> each_entry_of(const ObjectReader& reader, Address keys, Address values,
                           const std::function<bool(const DictEntry&)>& each);

} // namespace pygc::cpython
