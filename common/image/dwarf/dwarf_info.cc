#include "common/image/dwarf/dwarf_info.h"

#include "common/elf/elf_headers.h"
#include "common/image/elf/debug_file.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>

namespace pygc::image {
namespace {

bool visit_units(Dwarf* dwarf, const std::function<bool(Dwarf_Die&)>& visit) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (::dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    if (!visit(die)) {
      return false;
    }
  }
  return true;
}

} // namespace

Result<std::unique_ptr<DwarfInfo>> DwarfInfo::open(const ElfHandle& elf,
                                                   const FileOptions& options) {
  auto info = std::make_unique<DwarfInfo>();
  info->dwarf_.reset(::dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
  if (!info->dwarf_) {
    return fail(ErrorKind::no_debug_info, 0, elf.path() + ": " + ::dwarf_errmsg(-1));
  }
  info->attach_supplementary(elf, options);
  return info;
}

void DwarfInfo::attach_supplementary(const ElfHandle& elf, const FileOptions& options) {
  const char* name = nullptr;
  const void* bytes = nullptr;
  const ssize_t size = ::dwelf_dwarf_gnu_debugaltlink(dwarf_.get(), &name, &bytes);
  if (size <= 0 || name == nullptr) {
    return;
  }
  const std::string build_id =
      elf::to_hex({static_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)});
  supplementary_elf_ = find_supplementary_file(name, build_id, elf.path(), options);
  if (supplementary_elf_) {
    supplementary_.reset(::dwarf_begin_elf(supplementary_elf_->get(), DWARF_C_READ, nullptr));
    ::dwarf_setalt(dwarf_.get(), supplementary_.get());
  }
}

void DwarfInfo::for_each_unit(const std::function<bool(Dwarf_Die&)>& visit) const {
  if (visit_units(dwarf_.get(), visit) && supplementary_) {
    visit_units(supplementary_.get(), visit);
  }
}

std::optional<Dwarf_Die> DwarfInfo::unit_at(Address address) const {
  Dwarf_Die unit;
  if (::dwarf_addrdie(dwarf_.get(), address, &unit) != nullptr) {
    return unit;
  }
  // Some compilers write no .debug_aranges.
  std::optional<Dwarf_Die> found;
  visit_units(dwarf_.get(), [&](Dwarf_Die& candidate) {
    if (::dwarf_haspc(&candidate, address) > 0) {
      found = candidate;
    }
    return !found;
  });
  return found;
}

void for_each_child(Dwarf_Die& parent, const std::function<bool(Dwarf_Die&)>& visit) {
  Dwarf_Die child;
  if (::dwarf_child(&parent, &child) != 0) {
    return;
  }
  do {
    if (!visit(child)) {
      return;
    }
  } while (::dwarf_siblingof(&child, &child) == 0);
}

std::string_view die_name(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  const char* name = ::dwarf_formstring(::dwarf_attr_integrate(&die, DW_AT_name, &attribute));
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::optional<Dwarf_Die> type_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  Dwarf_Die type;
  if (::dwarf_formref_die(::dwarf_attr_integrate(&die, DW_AT_type, &attribute), &type) == nullptr) {
    return std::nullopt;
  }
  return type;
}

std::optional<Dwarf_Die> peeled(Dwarf_Die type) {
  Dwarf_Die result;
  if (::dwarf_peel_type(&type, &result) != 0) {
    return std::nullopt;
  }
  return result;
}

std::optional<Dwarf_Die> peeled_type_of(Dwarf_Die& die) {
  const auto type = type_of(die);
  return type ? peeled(*type) : std::nullopt;
}

std::optional<std::uint64_t> size_of_type(Dwarf_Die& type) {
  Dwarf_Word size = 0;
  if (::dwarf_aggregate_size(&type, &size) != 0) {
    return std::nullopt;
  }
  return size;
}

bool is_declaration(Dwarf_Die& die) {
  return ::dwarf_hasattr(&die, DW_AT_declaration) != 0;
}

bool is_record(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type;
}

std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (::dwarf_formudata(::dwarf_attr_integrate(&die, name, &attribute), &value) != 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> member_offset(Dwarf_Die& member) {
  if (::dwarf_hasattr(&member, DW_AT_bit_size) != 0) {
    return std::nullopt;
  }
  Dwarf_Attribute attribute;
  if (::dwarf_attr(&member, DW_AT_data_member_location, &attribute) == nullptr) {
    return 0; // of a union, or the first one
  }
  Dwarf_Word value = 0;
  if (::dwarf_formudata(&attribute, &value) == 0) {
    return value;
  }
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (::dwarf_getlocation(&attribute, &operations, &count) == 0 && count == 1 &&
      operations[0].atom == DW_OP_plus_uconst) {
    return operations[0].number;
  }
  return std::nullopt;
}

} // namespace pygc::image
