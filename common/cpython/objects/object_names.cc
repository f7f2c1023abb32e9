#include "common/cpython/objects/object_names.h"

#include "common/cpython/objects/collection_items.h"
#include "common/cpython/objects/value_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t name_limit = 120;
constexpr int file_depth = 4; // TextIOWrapper -> BufferedWriter -> FileIO, and one to spare
// Where an object of _io may keep the one that it wraps.
constexpr std::int64_t first_field = 16; // behind PyObject
constexpr std::int64_t field_size = 8;
constexpr std::int64_t fields_end = 1024;

/// Makes text from a target safe to print: control characters and quotes would lie about the rest.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return text;
}

} // namespace

void ObjectNames::find_dict_owners(std::span<const Address> objects,
                                   std::span<const Address> dicts) {
  std::unordered_map<Address, Address> wanted;
  for (const Address dict : dicts) {
    const auto type_at = reader_.type_address(dict);
    if (type_at && reader_.type(*type_at).has_flag(type_flag::dict_subclass) &&
        !owners_.contains(dict)) {
      wanted.emplace(dict, 0);
    }
  }
  if (wanted.empty()) {
    return;
  }
  for (const Address object : objects) {
    const auto type_at = reader_.type_address(object);
    if (!type_at) {
      continue;
    }
    const TypeInfo& type = reader_.type(*type_at);
    if (!type.problem.empty() ||
        (type.dictoffset <= 0 && !type.has_flag(type_flag::managed_dict))) {
      continue;
    }
    if (const auto dict = reader_.instance_dict(object); dict && wanted.contains(*dict)) {
      owners_[*dict] = object;
    }
  }
}

Address ObjectNames::dict_owner(Address dict) const {
  const auto found = owners_.find(dict);
  return found == owners_.end() ? 0 : found->second;
}

std::string ObjectNames::class_name(Address type_at) {
  const TypeInfo& type = reader_.type(type_at);
  const Layout& layout = reader_.runtime().layout;
  if (!type.has_flag(type_flag::heap_type) || !layout.ht_qualname) {
    return printable(type.name);
  }
  // A class of Python code has a bare tp_name; its module is in its dictionary.
  if (type.name.find('.') != std::string::npos) {
    return printable(type.name);
  }
  const auto qualname = reader_.memory().load<Address>(type_at + *layout.ht_qualname);
  if (qualname && *qualname != 0) {
    if (const auto text = reader_.text(*qualname, name_limit)) {
      return printable(*text);
    }
  }
  return printable(type.name);
}

std::string ObjectNames::type_name(Address object) {
  const auto type_at = reader_.type_address(object);
  return type_at ? class_name(*type_at) : "?";
}

std::string ObjectNames::file_name(Address object) {
  for (int depth = 0; object != 0 && depth < file_depth; ++depth) {
    if (const auto dict = reader_.instance_dict(object); dict && *dict != 0) {
      const auto name = reader_.item(*dict, "name");
      const auto type_at = name && *name != 0 ? reader_.type_address(*name) : Result<Address>(0);
      if (type_at && *type_at != 0 &&
          reader_.type(*type_at).has_flag(type_flag::unicode_subclass)) {
        return printable(reader_.text(*name, name_limit).value_or(""));
      }
    }
    object = inner_file(object);
  }
  return {};
}

Address ObjectNames::inner_file(Address object) {
  for (const std::string_view name : {"buffer", "raw"}) {
    if (const auto inner = reader_.member(object, name)) {
      return *inner;
    }
  }
  const auto type_at = reader_.type_address(object);
  const std::int64_t size = type_at ? reader_.type(*type_at).basicsize : 0;
  for (std::int64_t at = first_field; at < std::min(size, fields_end); at += field_size) {
    const auto field = reader_.memory().load<Address>(object + static_cast<Address>(at));
    const auto field_type = field && *field != 0 ? reader_.type_address(*field) : field;
    if (field_type && *field_type != 0 && reader_.type(*field_type).name.starts_with("_io.")) {
      return *field;
    }
  }
  return 0;
}

std::string ObjectNames::own_name(Address object) {
  const auto type_at = reader_.type_address(object);
  if (!type_at) {
    return {};
  }
  const Layout& layout = reader_.runtime().layout;
  const TypeInfo& type = reader_.type(*type_at);
  const auto text_at = [&](std::uint32_t offset) -> std::string {
    const auto str = reader_.memory().load<Address>(object + offset);
    return str && *str != 0 ? printable(reader_.text(*str, name_limit).value_or(""))
                            : std::string();
  };
  if (reader_.is_module(object)) {
    const auto module = reader_.module(object);
    return module ? printable(module->name) : std::string();
  }
  if (type.has_flag(type_flag::type_subclass)) {
    return class_name(object);
  }
  if (type.name == "function" && layout.func_qualname) {
    return text_at(*layout.func_qualname);
  }
  if ((type.name == "generator" || type.name == "coroutine" || type.name == "async_generator") &&
      layout.gi_qualname) {
    return text_at(*layout.gi_qualname);
  }
  if (type.name.starts_with("_io.")) {
    return file_name(object);
  }
  return {};
}

std::string ObjectNames::summary(Address object) {
  const auto type_at = reader_.type_address(object);
  if (!type_at) {
    return fmt::format("<unreadable object at {:#x}>", object);
  }
  const TypeInfo& type = reader_.type(*type_at);
  if (type.name.empty()) {
    return fmt::format("<object of an unreadable type at {:#x}>", object);
  }
  const Layout& layout = reader_.runtime().layout;
  if (type.has_flag(type_flag::dict_subclass)) {
    if (const Address owner = dict_owner(object); owner != 0) {
      const std::string name = own_name(owner);
      return name.empty() ? fmt::format("dict of <{} object at {:#x}>", type_name(owner), owner)
                          : fmt::format("dict of {} '{}'", type_name(owner), name);
    }
    const auto used = reader_.memory().load<std::int64_t>(object + layout.ma_used);
    return used ? fmt::format("{} of {} items", class_name(*type_at), *used) : class_name(*type_at);
  }
  if (std::string value = value_text(reader_, object, *type_at); !value.empty()) {
    return fmt::format("{} {}", class_name(*type_at), value);
  }
  const std::string name = own_name(object);
  if (reader_.is_module(object) || (!name.empty() && !type.name.starts_with("_io."))) {
    return type.has_flag(type_flag::type_subclass) ? fmt::format("class '{}'", name)
                                                   : fmt::format("{} '{}'", type.name, name);
  }
  if (!name.empty()) {
    return fmt::format("<{} name='{}'>", class_name(*type_at), name);
  }
  if (type.has_flag(type_flag::list_subclass) || type.has_flag(type_flag::tuple_subclass)) {
    const auto size = reader_.memory().load<std::int64_t>(object + layout.ob_size);
    return size ? fmt::format("{} of {} items", class_name(*type_at), *size) : class_name(*type_at);
  }
  if (const auto size = collection_size(reader_, object)) {
    return fmt::format("{} of {} items", class_name(*type_at), *size);
  }
  return fmt::format("<{} object>", class_name(*type_at));
}

} // namespace pygc::cpython
