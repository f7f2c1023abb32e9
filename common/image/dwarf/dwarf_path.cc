#include "common/image/dwarf/dwarf_path.h"

#include <dwarf.h>
#include <optional>
#include <vector>

namespace pygc::image {
namespace {

// Deeper than any type of a real program; damaged DWARF ends here.
constexpr int max_depth = 64;

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

std::optional<TypePath> into_array(Dwarf_Die array, std::uint64_t offset) {
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
  return TypePath{
      .type = *element, .offset = offset % *size, .text = "[" + std::to_string(index) + "]" + text};
}

std::optional<TypePath> into_record(Dwarf_Die record, std::uint64_t offset) {
  std::optional<TypePath> step;
  for_each_child(record, [&](Dwarf_Die& child) {
    const int tag = ::dwarf_tag(&child);
    if (tag != DW_TAG_member && tag != DW_TAG_inheritance) {
      return true;
    }
    const auto start = member_offset(child);
    auto type = peeled_type_of(child);
    const auto size = type ? size_of_type(*type) : std::nullopt;
    if (start && size && offset >= *start && offset - *start < *size) {
      const std::string_view name = die_name(child);
      step = TypePath{.type = *type,
                      .offset = offset - *start,
                      .text = name.empty() ? std::string() : "." + std::string(name)};
    }
    return !step;
  });
  return step;
}

} // namespace

TypePath path_into(Dwarf_Die type, std::uint64_t offset) {
  TypePath path{.type = type, .offset = offset, .text = {}};
  for (int depth = 0; depth < max_depth; ++depth) {
    const int tag = ::dwarf_tag(&path.type);
    auto step = tag == DW_TAG_array_type ? into_array(path.type, path.offset)
                : is_record(tag)         ? into_record(path.type, path.offset)
                                         : std::nullopt;
    if (!step) {
      break;
    }
    path = {.type = step->type, .offset = step->offset, .text = path.text + step->text};
  }
  return path;
}

} // namespace pygc::image
