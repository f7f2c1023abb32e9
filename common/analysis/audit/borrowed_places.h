// Where CPython's own objects hold addresses that they own no reference for.
#pragma once

#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"

namespace pygc::analysis {

/// Whether a word of the object that is not visited is known not to be a reference:
/// - wr_object and the links of a weak reference and of its subclasses (PyWeakReference,
///   Include/cpython/weakrefobject.h);
/// - ma_version_tag and what else a dict has beside its items (PyDictObject, to 3.12), which is a
///   number that may look like an address;
/// - all of a frame or generator: f_gen (to 3.10), f_globals, f_builtins and what has been left
///   behind above the value stack;
/// - all of a memoryview, whose view.obj its managed buffer owns (Objects/memoryobject.c).
bool is_borrowed_place(cpython::ObjectReader& reader, Address type, Address object,
                       SlotAddress slot);

} // namespace pygc::analysis
