#include "common/cpython/objects/sys_modules.h"

namespace pygc::cpython {

Result<Address> sys_modules(const ObjectReader& reader, const Interpreter& interpreter) {
  const Layout& layout = reader.runtime().layout;
  const auto offset =
      layout.interp_imports_modules ? layout.interp_imports_modules : layout.interp_modules;
  return offset ? reader.memory().load<Address>(interpreter.address + *offset) : Result<Address>(0);
}

} // namespace pygc::cpython
