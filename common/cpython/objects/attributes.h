// The attributes that an object itself has, not its class: those of its dictionary, whether that
// has been made or not, and published members.
#pragma once

#include "common/cpython/objects/item_place.h"
#include "common/cpython/objects/object_reader.h"

#include <functional>
#include <optional>
#include <string_view>

namespace pygc::cpython {

/// tp_dict of a type; 0 when it has none, as the static built-in types of 3.12 and later. Errors:
/// memory_*.
Result<Address> type_dict(const ObjectReader& reader, Address type);

/// tp_mro of a type. Nothing for one that has none (yet), or that cannot be read.
std::optional<TupleItems> type_mro(ObjectReader& reader, Address type);

/// Calls `each` for the values that lie beside the object or in it, as long as no dict has been
/// made of them, until it returns false. The keys are those that instances of the class share.
/// Mirrors _PyObject_ValuesPointer (3.11), _PyDictOrValues (3.12) and _PyObject_InlineValues
/// (3.13+), Include/internal/pycore_object.h. Errors: corrupt, memory_*.
Result<void> each_inline_value(ObjectReader& reader, Address object,
                               const std::function<bool(const DictEntry&)>& each);

/// What object.__dict__[name] is, or else a published member of that name; 0 when there is none.
/// Errors: corrupt, memory_*.
Result<Address> attribute(ObjectReader& reader, Address object, std::string_view name);

/// Whether the type or a base of it has a tp_getset entry of that name: the attribute is computed
/// by C code. Static types of 3.12 and later have no tp_dict that tells.
bool has_getset(ObjectReader& reader, Address type, std::string_view name);

} // namespace pygc::cpython
