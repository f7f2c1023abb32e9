#include "common/image/dwarf/dwarf_static.h"

#include <dwarf.h>
#include <optional>
#include <vector>

namespace pygc::image {
namespace {

// Deeper than any type or block of a real program; damaged DWARF ends here.
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

std::vector<std::uint64_t> array_dimensions(Dwarf_Die& array) {
  std::vector<std::uint64_t> dimensions;
  for_each_child(array, [&](Dwarf_Die& child) {
    if (::dwarf_tag(&child) == DW_TAG_subrange_type) {
      if (const auto count = unsigned_attribute(child, DW_AT_count)) {
        dimensions.push_back(*count);
      } else if (const auto bound = unsigned_attribute(child, DW_AT_upper_bound)) {
        dimensions.push_back(*bound + 1);
      } else {
        dimensions.push_back(0);
      }
    }
    return true;
  });
  return dimensions;
}

struct Step {
  Dwarf_Die type;
  std::uint64_t offset = 0;
  std::string text;
};

std::optional<Step> into_array(Dwarf_Die array, std::uint64_t offset) {
  auto element = peeled_type_of(array);
  const auto size = element ? size_of_type(*element) : std::nullopt;
  if (!size || *size == 0) {
    return std::nullopt;
  }
  const auto dimensions = array_dimensions(array);
  std::uint64_t index = offset / *size;
  std::string text;
  for (std::size_t i = dimensions.size(); i-- > 1;) {
    if (dimensions[i] == 0) {
      return std::nullopt;
    }
    text.insert(0, "[" + std::to_string(index % dimensions[i]) + "]");
    index /= dimensions[i];
  }
  return Step{
      .type = *element, .offset = offset % *size, .text = "[" + std::to_string(index) + "]" + text};
}

std::optional<Step> into_record(Dwarf_Die record, std::uint64_t offset) {
  std::optional<Step> step;
  for_each_child(record, [&](Dwarf_Die& child) {
    if (::dwarf_tag(&child) != DW_TAG_member) {
      return true;
    }
    const auto start = member_offset(child);
    auto type = peeled_type_of(child);
    const auto size = type ? size_of_type(*type) : std::nullopt;
    if (start && size && offset >= *start && offset - *start < *size) {
      const std::string_view name = die_name(child);
      step = Step{.type = *type,
                  .offset = offset - *start,
                  .text = name.empty() ? std::string() : "." + std::string(name)};
    }
    return !step;
  });
  return step;
}

} // namespace

Result<std::string> describe_static_variable(const DwarfInfo& dwarf, Address address) {
  const auto variable = find_variable(dwarf, address);
  if (!variable) {
    return fail(ErrorKind::no_symbol, address, "no static variable covers the address");
  }
  std::string path = variable->name;
  Dwarf_Die type = variable->type;
  std::uint64_t offset = variable->offset;
  for (int depth = 0; depth < max_depth; ++depth) {
    const int tag = ::dwarf_tag(&type);
    const auto step = tag == DW_TAG_array_type ? into_array(type, offset)
                      : is_record(tag)         ? into_record(type, offset)
                                               : std::nullopt;
    if (!step) {
      break;
    }
    path += step->text;
    type = step->type;
    offset = step->offset;
  }
  return path;
}

} // namespace pygc::image
