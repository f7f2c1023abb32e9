// What an object's type and its bases tell: published members, and whether it is an instance.
#include "common/cpython/objects/object_reader.h"

#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t member_name_limit = 200;
constexpr std::size_t member_limit = 512; // PyMemberDef entries of one type
constexpr std::size_t base_limit = 1000;  // length of a tp_base chain

/// PyMemberDef (Include/descrobject.h, structmember.h): the same in every version, 64-bit.
struct MemberDef {
  Address name;
  std::int32_t type;
  std::int32_t padding;
  std::int64_t offset;
  std::int32_t flags;
  std::int32_t padding2;
  Address doc;
};
constexpr std::int32_t t_object = 6;     // T_OBJECT, _Py_T_OBJECT
constexpr std::int32_t t_object_ex = 16; // T_OBJECT_EX, Py_T_OBJECT_EX

} // namespace

Result<void> ObjectReader::each_member(Address object,
                                       const std::function<bool(const Member&)>& each) {
  const auto type_at = type_address(object);
  if (!type_at) {
    return std::unexpected(type_at.error());
  }
  Address at = *type_at;
  for (std::size_t depth = 0; at != 0 && depth < base_limit; ++depth) {
    const auto members = memory_.load<Address>(at + runtime_.layout.tp_members);
    if (!members) {
      return std::unexpected(members.error());
    }
    for (std::size_t i = 0; *members != 0 && i < member_limit; ++i) {
      const auto definition = memory_.load<MemberDef>(*members + i * sizeof(MemberDef));
      if (!definition || definition->name == 0) {
        break;
      }
      const bool is_object = definition->type == t_object || definition->type == t_object_ex;
      if (is_object && definition->offset > 0 && definition->offset < (1 << 20) &&
          !each({.name = definition->name,
                 .offset = static_cast<std::uint64_t>(definition->offset)})) {
        return {};
      }
    }
    at = type(at).base;
  }
  return {};
}

Result<Address> ObjectReader::member(Address object, std::string_view name) {
  std::uint64_t offset = 0;
  const auto searched = each_member(object, [&](const Member& member) {
    const auto text = memory_.load_string(member.name, name.size() + 1);
    offset = text && *text == name ? member.offset : 0;
    return offset == 0;
  });
  if (!searched) {
    return std::unexpected(searched.error());
  }
  if (offset == 0) {
    return fail(ErrorKind::no_symbol, object, fmt::format("no member '{}'", name));
  }
  return memory_.load<Address>(object + offset);
}

std::string ObjectReader::member_name(Address object, std::uint64_t offset) {
  std::string name;
  // What cannot be read has no name.
  [[maybe_unused]] const auto searched = each_member(object, [&](const Member& member) {
    if (member.offset == offset) {
      name = memory_.load_string(member.name, member_name_limit).value_or("");
    }
    return name.empty();
  });
  return name;
}

bool ObjectReader::is_instance(Address type_at, std::string_view symbol) {
  const Address wanted = exported(symbol);
  for (std::size_t depth = 0; wanted != 0 && type_at != 0 && depth < base_limit; ++depth) {
    if (type_at == wanted) {
      return true;
    }
    type_at = type(type_at).base;
  }
  return false;
}

} // namespace pygc::cpython
