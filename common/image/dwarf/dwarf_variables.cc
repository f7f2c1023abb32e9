#include "common/image/dwarf/dwarf_variables.h"

#include <dwarf.h>

namespace pygc::image {
namespace {

std::optional<Location> locate(Dwarf_Attribute& attribute, Address code,
                               const EvaluationContext& context) {
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (::dwarf_getlocation_addr(&attribute, code, &operations, &count, 1) != 1) {
    return std::nullopt;
  }
  return evaluate({operations, count}, context, &attribute);
}

bool is_signed(Dwarf_Die& type) {
  const auto encoding = unsigned_attribute(type, DW_AT_encoding);
  return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
}

// Integers, enumerations and pointers of at most eight bytes.
std::optional<std::uint64_t> scalar_size(Dwarf_Die& type) {
  switch (::dwarf_tag(&type)) {
  case DW_TAG_pointer_type:
  case DW_TAG_reference_type:
    return sizeof(std::uint64_t);
  case DW_TAG_base_type: {
    const auto encoding = unsigned_attribute(type, DW_AT_encoding);
    if (encoding == DW_ATE_float || encoding == DW_ATE_complex_float) {
      return std::nullopt;
    }
    break;
  }
  case DW_TAG_enumeration_type:
    break;
  default:
    return std::nullopt;
  }
  const auto size = size_of_type(type);
  return size && *size <= sizeof(std::uint64_t) ? size : std::nullopt;
}

std::uint64_t sign_extend(std::uint64_t value, std::uint64_t size) {
  const unsigned shift = static_cast<unsigned>(64 - size * 8);
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

bool is_held(const Location& location, const std::optional<Range>& held) {
  return !held || location.kind == Location::Kind::register_number ||
         (location.kind == Location::Kind::memory && held->contains(location.value));
}

std::optional<std::uint64_t> value_of(Dwarf_Die& variable, Address code,
                                      const EvaluationContext& context,
                                      const std::optional<Range>& held) {
  auto type = peeled_type_of(variable);
  const auto size = type ? scalar_size(*type) : std::nullopt;
  if (!size || *size == 0) {
    return std::nullopt;
  }
  std::optional<std::uint64_t> value;
  Dwarf_Attribute attribute;
  if (::dwarf_attr(&variable, DW_AT_location, &attribute) != nullptr) {
    const auto location = locate(attribute, code, context);
    value = location && is_held(*location, held) ? read_location(*location, context, *size)
                                                 : std::nullopt;
  } else if (!held && ::dwarf_attr_integrate(&variable, DW_AT_const_value, &attribute) != nullptr) {
    Dwarf_Sword constant = 0;
    if (::dwarf_formsdata(&attribute, &constant) == 0) {
      value = static_cast<std::uint64_t>(constant);
    }
  }
  if (!value) {
    return std::nullopt;
  }
  return is_signed(*type) ? sign_extend(*value, *size) : *value;
}

} // namespace

std::optional<std::uint64_t> frame_base_of(Dwarf_Die& function, Address code,
                                           const EvaluationContext& context) {
  Dwarf_Attribute attribute;
  if (::dwarf_attr_integrate(&function, DW_AT_frame_base, &attribute) == nullptr) {
    return std::nullopt;
  }
  const auto location = locate(attribute, code, context);
  if (!location) {
    return std::nullopt;
  }
  // A register named as frame base means its contents; otherwise the address itself is the base.
  return location->kind == Location::Kind::register_number
             ? read_location(*location, context, sizeof(std::uint64_t))
             : std::optional(location->value);
}

void read_variables(Dwarf_Die& scope, Address code, const EvaluationContext& context,
                    const std::optional<Range>& held,
                    std::map<std::string, std::uint64_t, std::less<>>& to) {
  for_each_child(scope, [&](Dwarf_Die& child) {
    const int tag = ::dwarf_tag(&child);
    if (tag != DW_TAG_formal_parameter && tag != DW_TAG_variable) {
      return true;
    }
    const std::string_view name = die_name(child);
    if (name.empty() || to.contains(name)) {
      return true;
    }
    if (const auto value = value_of(child, code, context, held)) {
      to.emplace(name, *value);
    }
    return true;
  });
}

} // namespace pygc::image
