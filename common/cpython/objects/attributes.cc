#include "common/cpython/objects/attributes.h"

#include "common/cpython/objects/dict_entries.h"

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);
constexpr Address dict_behind_base = word;            // PyTypeObject
constexpr Address mro_behind_is_gc = 2 * word;        //
constexpr Address cached_keys_behind_qualname = word; // PyHeapTypeObject
constexpr std::uint64_t mro_limit = 1024;
constexpr std::size_t getset_limit = 1024;
constexpr Address getset_size = 5 * word; // PyGetSetDef (Include/descrobject.h)
// What lies before an object's GC head, or before the object where it has none (without a GIL).
constexpr Address dict_before = 1 * word;
constexpr Address values_before = 2 * word; // 3.11; later the list of weak references
// Bits of tp_flags: Py_TPFLAGS_INLINE_VALUES (3.13+), _MANAGED_WEAKREF (3.12+).
constexpr unsigned inline_values = 2;
constexpr unsigned managed_weakref = 3;
constexpr Address valid = 3; // PyDictValues of 3.13+: capacity, size, embedded, valid

/// The PyDictValues of an object without a dict; 0: it has none.
Result<Address> inline_values_of(ObjectReader& reader, Address object, const TypeInfo& type) {
  if (!type.has_flag(type_flag::managed_dict) || type.basicsize < 0) {
    return 0;
  }
  const image::AddressSpace& memory = reader.memory();
  const Address begin = object - reader.runtime().layout.gc_head_size;
  const auto dict = memory.load<Address>(begin - dict_before);
  if (!dict || *dict % 2 != 0) {
    return dict ? Result<Address>(*dict + 1) : dict; // 3.12: the values' address less 1
  }
  if (*dict != 0) {
    return 0;
  }
  if (type.has_flag(inline_values)) {
    const Address values = object + static_cast<Address>(type.basicsize);
    const auto in_use = memory.load<std::uint8_t>(values + valid);
    return in_use ? Result<Address>(*in_use == 0 ? 0 : values) : std::unexpected(in_use.error());
  }
  return type.has_flag(managed_weakref) ? Result<Address>(0)
                                        : memory.load<Address>(begin - values_before);
}

} // namespace

Result<Address> type_dict(const ObjectReader& reader, Address type) {
  return reader.memory().load<Address>(type + reader.runtime().layout.tp_base + dict_behind_base);
}

std::optional<TupleItems> type_mro(ObjectReader& reader, Address type) {
  const auto mro =
      reader.memory().load<Address>(type + reader.runtime().layout.tp_is_gc + mro_behind_is_gc);
  auto bases = mro && *mro != 0 ? tuple_items(reader, *mro) : std::nullopt;
  return bases && bases->count <= mro_limit ? bases : std::nullopt;
}

Result<void> each_inline_value(ObjectReader& reader, Address object,
                               const std::function<bool(const DictEntry&)>& each) {
  const Layout& layout = reader.runtime().layout;
  const auto type = reader.type_address(object);
  if (!type) {
    return std::unexpected(type.error());
  }
  const auto values = inline_values_of(reader, object, reader.type(*type));
  if (!values || *values == 0 || !layout.ht_qualname) {
    return values ? Result<void>() : std::unexpected(values.error());
  }
  const auto keys =
      reader.memory().load<Address>(*type + *layout.ht_qualname + cached_keys_behind_qualname);
  if (!keys || *keys == 0) {
    return keys ? Result<void>() : std::unexpected(keys.error());
  }
  return each_entry_of(reader, *keys, *values + layout.dict_values.value_or(0), each);
}

Result<Address> attribute(ObjectReader& reader, Address object, std::string_view name) {
  const auto dict = reader.instance_dict(object);
  if (dict && *dict != 0) {
    const auto value = reader.item(*dict, name);
    if (!value || *value != 0) {
      return value;
    }
  }
  Address found = 0;
  const auto walked = each_inline_value(reader, object, [&](const DictEntry& entry) {
    const auto text = reader.text(entry.key, name.size() + 1);
    found = text && *text == name ? entry.value : 0;
    return found == 0;
  });
  if (!walked) {
    return std::unexpected(walked.error());
  }
  if (found != 0) {
    return found;
  }
  const auto member = reader.member(object, name);
  return member || member.error().kind != ErrorKind::no_symbol ? member : Result<Address>(0);
}

bool has_getset(ObjectReader& reader, Address type, std::string_view name) {
  const TupleItems bases = type_mro(reader, type).value_or(TupleItems{});
  const image::AddressSpace& memory = reader.memory();
  for (std::uint64_t i = 0; i < bases.count; ++i) {
    const Address base = memory.load<Address>(bases.first + i * word).value_or(0);
    const Address table =
        memory.load<Address>(base + reader.runtime().layout.tp_members + word).value_or(0);
    for (std::size_t k = 0; table != 0 && k < getset_limit; ++k) {
      const Address text = memory.load<Address>(table + k * getset_size).value_or(0);
      if (text == 0) {
        break;
      }
      const auto known = memory.load_string(text, name.size() + 1);
      if (known && *known == name) {
        return true;
      }
    }
  }
  return false;
}

} // namespace pygc::cpython
