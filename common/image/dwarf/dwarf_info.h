// DWARF of one image, opened with libdw, and small helpers over its entries.
#pragma once

#include "common/base/error.h"
#include "common/image/elf/elf_handle.h"
#include "common/image/module.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace pygc::image {

class DwarfInfo {
public:
  /// Reads all of the file's debug sections (they may be compressed): expensive, so asked for
  /// late. `elf` must outlive it. Errors: no_debug_info.
  static Result<std::unique_ptr<DwarfInfo>> open(const ElfHandle& elf, const FileOptions& options);

  Dwarf* get() const { return dwarf_.get(); }
  /// Calls `visit` with each unit of the file and of its supplementary file until it returns false.
  void for_each_unit(const std::function<bool(Dwarf_Die&)>& visit) const;
  /// The compile unit whose code covers an address (as linked).
  std::optional<Dwarf_Die> unit_at(Address address) const;

private:
  struct End {
    void operator()(Dwarf* dwarf) const { ::dwarf_end(dwarf); }
  };

  void attach_supplementary(const ElfHandle& elf, const FileOptions& options);

  // The supplementary file must go last: the main one refers to it.
  std::optional<ElfHandle> supplementary_elf_;
  std::unique_ptr<Dwarf, End> supplementary_;
  std::unique_ptr<Dwarf, End> dwarf_;
};

/// Calls `visit` with each child until it returns false.
void for_each_child(Dwarf_Die& parent, const std::function<bool(Dwarf_Die&)>& visit);

/// The name, through specifications and abstract origins; empty when there is none.
std::string_view die_name(Dwarf_Die& die);
std::optional<Dwarf_Die> type_of(Dwarf_Die& die);
/// The type of an entry without typedefs and qualifiers.
std::optional<Dwarf_Die> peeled_type_of(Dwarf_Die& die);
std::optional<Dwarf_Die> peeled(Dwarf_Die type);
std::optional<std::uint64_t> size_of_type(Dwarf_Die& type);
bool is_declaration(Dwarf_Die& die);
bool is_record(int tag);
/// The offset of a member in bytes; nothing for bit-fields and for what is computed at run time.
std::optional<std::uint64_t> member_offset(Dwarf_Die& member);
std::optional<std::uint64_t> unsigned_attribute(Dwarf_Die& die, unsigned name);

} // namespace pygc::image
