// The symbols of one ELF file, by name and by address.
#pragma once

#include "common/image/elf_handle.h"
#include "common/image/module.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pygc::image {

/// A symbol's name as the source spells it: without the suffixes that the compiler adds to clones
/// and to local symbols under LTO.
std::string_view without_clone_suffix(std::string_view name);

class SymbolTable {
public:
  SymbolTable() = default;
  /// Empty when the section is no symbol table. Names point into `elf`, which must outlive this.
  SymbolTable(const ElfHandle& elf, const Section& section, Address bias);

  bool empty() const { return entries_.empty(); }
  /// Exact names first, then clones (parts of functions last).
  std::vector<Symbol> find(std::string_view name) const;
  std::optional<Symbol> covering(Address address) const;

private:
  struct Entry {
    Address address = 0; // as linked
    std::uint64_t size = 0;
    std::string_view name;
    bool function = false;
  };

  Symbol symbol(const Entry& entry) const;

  Address bias_ = 0;
  std::vector<Entry> entries_;                                       // by address
  std::unordered_multimap<std::string_view, std::uint32_t> by_name_; // name without suffix
};

} // namespace pygc::image
