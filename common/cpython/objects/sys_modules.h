// sys.modules of an interpreter.
#pragma once

#include "common/cpython/objects/object_reader.h"

namespace pygc::cpython {

/// PyInterpreterState.modules, or imports.modules of it (3.12+): what import statements use,
/// whatever sys.modules has become. 0: there is none (yet), or the layout does not say where.
/// Errors: memory_*.
Result<Address> sys_modules(const ObjectReader& reader, const Interpreter& interpreter);

} // namespace pygc::cpython
