#include "common/cpython/objects/object_reader.h"

#include "common/cpython/collector/collector.h"
#include "common/cpython/objects/dict_entries.h"
#include "common/cpython/objects/str_data.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t type_name_limit = 256;
constexpr std::size_t max_text = std::size_t{1} << 20;

void append_utf8(std::string& to, std::uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    to += static_cast<char>(0xe0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    to += static_cast<char>(0xf0 | (c >> 18 & 0x7));
    to += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  }
}

/// Bytes that nothing may run. False of what is not known: a file that was not found, of which no
/// segment tells what may be done with it.
bool is_data(const image::AddressSpace& memory, Address address) {
  const image::Region* region = memory.find(address);
  if (region == nullptr || region->permissions.execute) {
    return false;
  }
  return region->host != nullptr || region->permissions.read || region->permissions.write;
}
bool is_code(const image::AddressSpace& memory, Address address) {
  const image::Region* region = memory.find(address);
  return region != nullptr && region->permissions.execute;
}

bool not_saved(const auto& result) {
  return !result && result.error().kind == ErrorKind::memory_not_saved;
}

} // namespace

ObjectReader::ObjectReader(const image::ProcessImage& image, const Runtime& runtime)
    : image_(image), memory_(image.memory()), runtime_(runtime) {}

TypeInfo ObjectReader::read_type(Address address) const {
  const Layout& layout = runtime_.layout;
  TypeInfo info;
  info.address = address;
  const auto name = memory_.load<Address>(address + layout.tp_name);
  const auto flags = memory_.load<std::uint64_t>(address + layout.tp_flags);
  const auto traverse = memory_.load<Address>(address + layout.tp_traverse);
  const auto is_gc = memory_.load<Address>(address + layout.tp_is_gc);
  const auto base = memory_.load<Address>(address + layout.tp_base);
  const auto dictoffset = memory_.load<std::int64_t>(address + layout.tp_dictoffset);
  const auto basicsize = memory_.load<std::int64_t>(address + layout.tp_basicsize);
  if (!name || !flags || !traverse || !is_gc || !base || !dictoffset || !basicsize) {
    info.problem = fmt::format("there is no type object at {:#x}", address);
    info.memory_missing = not_saved(name) || not_saved(flags) || not_saved(traverse) ||
                          not_saved(is_gc) || not_saved(base) || not_saved(dictoffset) ||
                          not_saved(basicsize);
    if (info.memory_missing) {
      info.problem = fmt::format("the type object at {:#x} cannot be read", address);
    }
    return info;
  }
  const auto text = memory_.load_string(*name, type_name_limit);
  if (not_saved(text)) {
    info.problem = fmt::format("the name of the type object at {:#x} cannot be read: {}", address,
                               text.error().reason);
    info.memory_missing = true;
    return info;
  }
  if (!text || text->empty() || std::ranges::any_of(*text, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      })) {
    info.problem = fmt::format("the type object at {:#x} has no readable name", address);
    return info;
  }
  info.name = *text;
  info.flags = *flags;
  info.traverse = *traverse;
  info.is_gc = *is_gc;
  info.base = *base;
  info.dictoffset = *dictoffset;
  info.basicsize = *basicsize;
  if (!info.has_flag(type_flag::have_gc)) {
    info.problem = fmt::format("the type '{}' at {:#x} is not a GC type", info.name, address);
  } else if (info.traverse == 0) {
    info.problem = fmt::format("the GC type '{}' at {:#x} has no tp_traverse", info.name, address);
  } else if (info.is_gc != 0 &&
             (is_data(memory_, info.is_gc) ||
              (!is_code(memory_, info.is_gc) && image_.module_at(info.is_gc) == nullptr &&
               is_code(memory_, info.traverse)))) {
    // A collector calls it at each visit; the replay asks it of the few that are on no list.
    info.problem = fmt::format("tp_is_gc of the type '{}' at {:#x} is {:#x}, which is no function",
                               info.name, address, info.is_gc);
  }
  return info;
}

const TypeInfo& ObjectReader::type(Address address) {
  auto found = types_.find(address);
  if (found == types_.end()) {
    found = types_.emplace(address, read_type(address)).first;
  }
  return found->second;
}

Result<bool> ObjectReader::is_tracked(Address object) const {
  return collector_of(runtime_.layout).is_tracked(memory_, runtime_.layout, object);
}

Result<Address> ObjectReader::type_address(Address object) const {
  return memory_.load<Address>(object + runtime_.layout.ob_type);
}

Address ObjectReader::exported(std::string_view symbol) {
  auto found = exported_.find(std::string(symbol));
  if (found == exported_.end()) {
    const auto address = runtime_.module->find_symbol(symbol);
    found = exported_.emplace(std::string(symbol), address ? address->address : 0).first;
  }
  return found->second;
}

Result<std::string> ObjectReader::text(Address str, std::size_t limit) const {
  const auto chars = str_data(memory_, runtime_.layout, str);
  if (!chars) {
    return std::unexpected(chars.error());
  }
  const std::size_t count = std::min({static_cast<std::size_t>(chars->count), limit, max_text});
  std::vector<std::byte> raw(count * chars->kind);
  if (auto read = memory_.read(chars->first, raw); !read) {
    return std::unexpected(read.error());
  }
  std::string result;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t c = 0;
    for (unsigned b = 0; b < chars->kind; ++b) {
      c |= std::to_integer<std::uint32_t>(raw[i * chars->kind + b]) << (8 * b);
    }
    append_utf8(result, c);
  }
  return result;
}

Result<void>
ObjectReader::each_item(Address dict,
                        const std::function<bool(Address key, Address value)>& each) const {
  return each_entry(dict, [&](const DictEntry& entry) { return each(entry.key, entry.value); });
}

Result<void> ObjectReader::each_entry(Address dict,
                                      const std::function<bool(const DictEntry&)>& each) const {
  const Layout& layout = runtime_.layout;
  const auto keys = memory_.load<Address>(dict + layout.ma_keys);
  const auto values = memory_.load<Address>(dict + layout.ma_values);
  if (!keys || !values) {
    return std::unexpected(keys ? values.error() : keys.error());
  }
  // A split table keeps the values beside the keys.
  return each_entry_of(*this, *keys, *values == 0 ? 0 : *values + layout.dict_values.value_or(0),
                       each);
}

Result<Address> ObjectReader::item(Address dict, std::string_view key) const {
  Address found = 0;
  const auto walked = each_item(dict, [&](Address name, Address value) {
    const auto text = this->text(name, key.size() + 1);
    if (text && *text == key) {
      found = value;
    }
    return found == 0;
  });
  if (!walked) {
    return std::unexpected(walked.error());
  }
  return found;
}

Result<Address> ObjectReader::instance_dict(Address object) {
  const auto address = type_address(object);
  if (!address) {
    return address;
  }
  const TypeInfo& info = type(*address);
  if (info.dictoffset > 0 && info.dictoffset < (std::int64_t{1} << 20)) {
    return memory_.load<Address>(object + static_cast<Address>(info.dictoffset));
  }
  if (info.has_flag(type_flag::managed_dict)) {
    // MANAGED_DICT_OFFSET (Include/internal/pycore_object.h): before the object, and with a GIL
    // before its PyGC_Head; an odd value means that there are only inline values (3.12).
    const auto word =
        memory_.load<Address>(object - sizeof(Address) - runtime_.layout.gc_head_size);
    return word && (*word & 1) != 0 ? Result<Address>(0) : word;
  }
  return 0;
}

bool ObjectReader::is_type(Address object) {
  const auto metatype = type_address(object);
  return metatype && *metatype != 0 && type(*metatype).has_flag(type_flag::type_subclass);
}

bool ObjectReader::is_module(Address object) {
  const auto type_at = type_address(object);
  return type_at && is_instance(*type_at, "PyModule_Type");
}

Result<ModuleInfo> ObjectReader::module(Address object) {
  const Layout& layout = runtime_.layout;
  ModuleInfo info;
  info.address = object;
  const auto dict = memory_.load<Address>(object + layout.md_dict);
  const auto state = memory_.load<Address>(object + layout.md_state);
  const auto name = memory_.load<Address>(object + layout.md_name);
  if (!dict || !state || !name) {
    return std::unexpected(!dict ? dict.error() : !state ? state.error() : name.error());
  }
  info.dict = *dict;
  info.state = *state;
  if (*name != 0) {
    info.name = text(*name).value_or("");
  }
  if (layout.md_def) {
    const auto definition = memory_.load<Address>(object + *layout.md_def);
    if (!definition) {
      return std::unexpected(definition.error());
    }
    info.definition = *definition;
    if (info.definition != 0) {
      const auto size = memory_.load<std::int64_t>(info.definition + layout.m_size);
      const auto slots = memory_.load<Address>(info.definition + layout.m_slots);
      const auto traverse = memory_.load<Address>(info.definition + layout.m_traverse);
      if (!size || !slots || !traverse) {
        return std::unexpected(!size ? size.error() : !slots ? slots.error() : traverse.error());
      }
      info.state_size = *size;
      info.multi_phase = *slots != 0;
      info.traverse = *traverse;
    }
    return info;
  }
  // 3.15 copies what matters of the definition into the module (Objects/moduleobject.c).
  if (layout.md_state_size && layout.md_state_traverse && layout.md_token) {
    const auto size = memory_.load<std::int64_t>(object + *layout.md_state_size);
    const auto traverse = memory_.load<Address>(object + *layout.md_state_traverse);
    const auto token = memory_.load<Address>(object + *layout.md_token);
    if (!size || !traverse || !token) {
      return std::unexpected(!size ? size.error() : !traverse ? traverse.error() : token.error());
    }
    info.state_size = *size;
    info.traverse = *traverse;
    info.definition = *token;
    if (info.definition != 0) {
      // The token is the PyModuleDef, or the address of something else of a module made by slots.
      const auto type = type_address(info.definition);
      const bool is_definition = type && *type != 0 && *type == exported("PyModuleDef_Type");
      const auto slots = memory_.load<Address>(info.definition + layout.m_slots);
      info.multi_phase = !is_definition || (slots && *slots != 0);
    }
  }
  return info;
}

} // namespace pygc::cpython
