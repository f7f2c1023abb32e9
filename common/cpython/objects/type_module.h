// The module that a type says it is of.
#pragma once

#include "common/cpython/objects/object_names.h"
#include "common/cpython/objects/object_reader.h"

#include <string>

namespace pygc::cpython {

/// As type.__module__ gives it (Objects/typeobject.c, type_module): of a class `__module__` of its
/// dictionary, else what stands before the last dot of tp_name, else "builtins". Empty: it cannot
/// be read, or is no str.
std::string type_module(ObjectReader& reader, Address type);

/// The qualified name of a type with its module before it: "app.Outer.Inner", "builtins.dict".
std::string full_name_of_type(ObjectReader& reader, ObjectNames& names, Address type);

} // namespace pygc::cpython
