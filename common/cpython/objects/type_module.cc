#include "common/cpython/objects/type_module.h"

#include "common/cpython/objects/attributes.h"

namespace pygc::cpython {

std::string type_module(ObjectReader& reader, Address type) {
  const TypeInfo& info = reader.type(type);
  if (info.has_flag(type_flag::heap_type)) {
    const auto dict = type_dict(reader, type);
    const auto name = dict && *dict != 0 ? reader.item(*dict, "__module__") : dict;
    if (name && *name != 0) {
      const auto name_type = reader.type_address(*name);
      return name_type && reader.type(*name_type).has_flag(type_flag::unicode_subclass)
                 ? reader.text(*name).value_or("")
                 : "";
    }
  }
  const std::size_t dot = info.name.rfind('.');
  return dot == std::string::npos ? "builtins" : info.name.substr(0, dot);
}

std::string full_name_of_type(ObjectReader& reader, ObjectNames& names, Address type) {
  const std::string name = names.class_name(type);
  const std::string module = type_module(reader, type);
  return module.empty() || name.starts_with(module + ".") ? name : module + "." + name;
}

} // namespace pygc::cpython
