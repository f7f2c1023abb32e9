#include "common/analysis/facts/traverse_function.h"

namespace pygc::analysis {

Address traverse_function(cpython::ObjectReader& reader, Address container, Address visited) {
  if (reader.is_module(container)) {
    // module_traverse calls m_traverse, then visits md_dict (Objects/moduleobject.c).
    const auto module = reader.module(container);
    if (module && module->traverses() && visited != module->dict) {
      return module->traverse;
    }
  }
  const auto type = reader.type_address(container);
  return type ? reader.type(*type).traverse : 0;
}

} // namespace pygc::analysis
