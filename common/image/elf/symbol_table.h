// The symbols of one ELF file, by name and by address.
#pragma once

#include "common/image/elf/elf_handle.h"
#include "common/image/module.h"

#include <cstdint>
#include <elf.h>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pygc::image {

/// A symbol's name as the source spells it: without the suffixes that the compiler adds to clones
/// and to local symbols under LTO.
std::string_view without_clone_suffix(std::string_view name);

class SymbolTable {
public:
  SymbolTable() = default;
  /// Empty when the section is no symbol table. Points into `elf`, which must outlive this.
  SymbolTable(const ElfHandle& elf, const Section& section, Address bias);

  bool empty() const { return symbols_.empty(); }
  /// Exact names first, then clones (parts of functions last).
  std::vector<Symbol> find(std::string_view name) const;
  std::optional<Symbol> covering(Address address) const;

private:
  bool is_wanted(const Elf64_Sym& symbol) const;
  const char* name_of(const Elf64_Sym& symbol) const { return names_.data() + symbol.st_name; }
  Symbol describe(const Elf64_Sym& symbol) const;
  const std::vector<std::uint32_t>& by_address() const;

  Address bias_ = 0;
  std::span<const Elf64_Sym> symbols_;
  std::span<const char> names_;                   // ends with a NUL
  mutable std::vector<std::uint32_t> by_address_; // of wanted symbols; built when first asked for
};

} // namespace pygc::image
