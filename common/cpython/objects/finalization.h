// What a collection runs or keeps when it deletes an object: finalizers and weak references.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <vector>

namespace pygc::cpython {

/// Slots of a PyTypeObject (Include/cpython/object.h), found by their fixed order among those that
/// the layout has.
struct TypeFinalization {
  Address finalize = 0;            // tp_finalize (PEP 442): __del__
  Address clear = 0;               // tp_clear
  Address legacy = 0;              // tp_del: what such an object reaches goes to gc.garbage
  std::int64_t weaklistoffset = 0; // 0: no weak references; below 0 before the object (3.12+)
};

/// Errors: memory_*.
Result<TypeFinalization> type_finalization(const ObjectReader& reader, Address type);

/// The weak references (PyWeakReference) to an object that have a callback, as far as its list can
/// be read.
std::vector<Address> weakrefs_with_callback(const ObjectReader& reader, Address object,
                                            std::int64_t weaklistoffset);

} // namespace pygc::cpython
