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

Address extension_of_bases(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address type, const std::function<Address(Address type)>& slot) {
  const Address own = slot(type);
  for (int depth = 0; type != 0 && depth < base_limit; ++depth) {
    if (const Address function = slot(type); function != own) {
      const image::Module* module = function == 0 ? nullptr : image.module_at(function);
      return module != nullptr && module != reader.runtime().module ? function : 0;
    }
    type = reader.type(type).base;
  }
  return 0;
}

Address extension_traverse(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address container) {
  const auto type_at = reader.type_address(container);
  const Address type = type_at ? *type_at : 0;
  const Address own = reader.type(type).traverse;
  return extension_of_bases(reader, image, type, [&](Address each) {
    const Address function = reader.type(each).traverse;
    return function != 0 ? function : own; // a base without one is passed over
  });
}

} // namespace pygc::analysis
