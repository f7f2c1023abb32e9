#include "common/image/dwarf/dwarf_static.h"

#include "common/image/dwarf/dwarf_path.h"

#include <dwarf.h>
#include <optional>

namespace pygc::image {
namespace {

// Deeper than any block of a real program; damaged DWARF ends here.
constexpr int max_depth = 64;

struct Variable {
  Dwarf_Die type;
  std::string name;
  std::uint64_t offset = 0; // of the address, within it
};

// The variable itself, if it is static and covers the address.
std::optional<Variable> match(Dwarf_Die& die, Address address) {
  Dwarf_Attribute location;
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (::dwarf_tag(&die) != DW_TAG_variable ||
      ::dwarf_attr(&die, DW_AT_location, &location) == nullptr ||
      ::dwarf_getlocation(&location, &operations, &count) != 0 || count != 1 ||
      operations[0].atom != DW_OP_addr || operations[0].number > address) {
    return std::nullopt;
  }
  auto type = peeled_type_of(die);
  const auto size = type ? size_of_type(*type) : std::nullopt;
  const std::uint64_t offset = address - operations[0].number;
  const std::string_view name = die_name(die);
  if (!size || offset >= *size || name.empty()) {
    return std::nullopt;
  }
  return Variable{.type = *type, .name = std::string(name), .offset = offset};
}

std::optional<Variable> find_in(Dwarf_Die& parent, Address address, int depth) {
  std::optional<Variable> found;
  for_each_child(parent, [&](Dwarf_Die& child) {
    found = match(child, address);
    if (!found && depth > 0) {
      const int tag = ::dwarf_tag(&child);
      if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace ||
          tag == DW_TAG_inlined_subroutine) {
        found = find_in(child, address, depth - 1);
      }
    }
    return !found;
  });
  return found;
}

std::optional<Variable> find_variable(const DwarfInfo& dwarf, Address address) {
  std::optional<Variable> found;
  // Variables of files first; those inside functions need the whole tree.
  for (const int depth : {0, max_depth}) {
    dwarf.for_each_unit([&](Dwarf_Die& unit) {
      found = find_in(unit, address, depth);
      return !found;
    });
    if (found) {
      break;
    }
  }
  return found;
}

} // namespace

Result<std::string> describe_static_variable(const DwarfInfo& dwarf, Address address) {
  const auto variable = find_variable(dwarf, address);
  if (!variable) {
    return fail(ErrorKind::no_symbol, address, "no static variable covers the address");
  }
  return variable->name + path_into(variable->type, variable->offset).text;
}

} // namespace pygc::image
