#include "common/analysis/facts/traverse_function.h"

namespace pygc::analysis {
namespace {

constexpr int base_limit = 1000; // a damaged type may be its own base

} // namespace

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

Address extension_traverse(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address container) {
  const auto type_at = reader.type_address(container);
  Address type = type_at ? *type_at : 0;
  const Address own = reader.type(type).traverse;
  for (int depth = 0; type != 0 && depth < base_limit; ++depth) {
    const cpython::TypeInfo& info = reader.type(type);
    if (info.traverse != 0 &&
        info.traverse != own) { // what subtype_traverse calls is the first other
      const image::Module* module = image.module_at(info.traverse);
      return module != nullptr && module != reader.runtime().module ? info.traverse : 0;
    }
    type = info.base;
  }
  return 0;
}

} // namespace pygc::analysis
