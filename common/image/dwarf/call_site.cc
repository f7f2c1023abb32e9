#include "common/image/dwarf/call_site.h"

#include <dwarf.h>

namespace pygc::image {
namespace {

std::optional<std::uint64_t> value_of(Dwarf_Die& die, std::initializer_list<unsigned> names,
                                      const EvaluationContext& context) {
  for (const unsigned name : names) {
    Dwarf_Attribute attribute;
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (::dwarf_attr(&die, name, &attribute) == nullptr ||
        ::dwarf_getlocation(&attribute, &operations, &count) != 0) {
      continue;
    }
    // The expression computes the value itself; where it names a register, the register's contents.
    const auto location = evaluate({operations, count}, context, &attribute);
    if (location && location->kind == Location::Kind::register_number) {
      return read_location(*location, context, sizeof(std::uint64_t));
    }
    return location ? std::optional(location->value) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Dwarf_Die> origin_of(Dwarf_Die& call_site) {
  for (const unsigned name : {DW_AT_call_origin, DW_AT_abstract_origin}) {
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    if (::dwarf_attr(&call_site, name, &attribute) != nullptr &&
        ::dwarf_formref_die(&attribute, &origin) != nullptr) {
      return origin;
    }
  }
  return std::nullopt;
}

bool is_call_site(Dwarf_Die& die) {
  const int tag = ::dwarf_tag(&die);
  return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

std::optional<Address> return_address_of(Dwarf_Die& call_site) {
  Dwarf_Attribute attribute;
  Dwarf_Addr address = 0;
  for (const unsigned name : {DW_AT_call_return_pc, DW_AT_low_pc}) {
    if (::dwarf_attr(&call_site, name, &attribute) != nullptr &&
        ::dwarf_formaddr(&attribute, &address) == 0) {
      return address;
    }
  }
  return std::nullopt;
}

} // namespace

std::optional<Dwarf_Die> find_call_site(std::vector<Dwarf_Die>& scopes, Address return_address) {
  std::optional<Dwarf_Die> found;
  for (Dwarf_Die& scope : scopes) {
    for_each_child(scope, [&](Dwarf_Die& child) {
      if (is_call_site(child) && return_address_of(child) == return_address) {
        found = child;
      }
      return !found;
    });
    if (found) {
      break;
    }
  }
  return found;
}

bool calls_function(Dwarf_Die& call_site, Dwarf_Die& callee, Address callee_bias,
                    const EvaluationContext& caller) {
  if (auto origin = origin_of(call_site)) {
    return !die_name(callee).empty() && die_name(*origin) == die_name(callee);
  }
  Dwarf_Addr entry = 0;
  const auto target = value_of(call_site, {DW_AT_call_target, DW_AT_GNU_call_site_target}, caller);
  return target && ::dwarf_entrypc(&callee, &entry) == 0 && *target == entry + callee_bias;
}

std::optional<std::uint64_t> argument_in_register(Dwarf_Die& call_site, std::uint64_t number,
                                                  const EvaluationContext& caller) {
  std::optional<std::uint64_t> value;
  for_each_child(call_site, [&](Dwarf_Die& child) {
    const int tag = ::dwarf_tag(&child);
    Dwarf_Attribute attribute;
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if ((tag == DW_TAG_call_site_parameter || tag == DW_TAG_GNU_call_site_parameter) &&
        ::dwarf_attr(&child, DW_AT_location, &attribute) != nullptr &&
        ::dwarf_getlocation(&attribute, &operations, &count) == 0 && count == 1 &&
        operations[0].atom == DW_OP_reg0 + number) {
      value = value_of(child, {DW_AT_call_value, DW_AT_GNU_call_site_value}, caller);
      return false;
    }
    return true;
  });
  return value;
}

} // namespace pygc::image
