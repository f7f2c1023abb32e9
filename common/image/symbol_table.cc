#include "common/image/symbol_table.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <span>

namespace pygc::image {
namespace {

// Cold parts and split-off pieces begin in the middle of a function.
bool is_piece(std::string_view name) {
  return name.find(".cold") != std::string_view::npos ||
         name.find(".part.") != std::string_view::npos;
}

bool is_wanted(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && symbol.st_name != 0 &&
         (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_GNU_IFUNC);
}

} // namespace

std::string_view without_clone_suffix(std::string_view name) {
  constexpr std::array<std::string_view, 8> suffixes = {
      ".lto_priv", ".constprop", ".isra", ".part", ".cold", ".localalias", ".llvm.", "@"};
  std::size_t end = name.size();
  if (name.find_first_of(".@") == std::string_view::npos) {
    return name; // nearly all are plain, and there are tens of thousands
  }
  for (const std::string_view suffix : suffixes) {
    const std::size_t at = name.find(suffix);
    if (at != 0 && at != std::string_view::npos) {
      end = std::min(end, at);
    }
  }
  return name.substr(0, end);
}

SymbolTable::SymbolTable(const ElfHandle& elf, const Section& section, Address bias) : bias_(bias) {
  const Elf_Data* data = ::elf_getdata(section.handle, nullptr);
  if (data == nullptr || data->d_buf == nullptr || data->d_type != ELF_T_SYM) {
    return;
  }
  const std::span symbols(static_cast<const Elf64_Sym*>(data->d_buf),
                          data->d_size / sizeof(Elf64_Sym));
  entries_.reserve(symbols.size());
  for (const Elf64_Sym& symbol : symbols) {
    const char* name =
        is_wanted(symbol) ? ::elf_strptr(elf.get(), section.link, symbol.st_name) : nullptr;
    if (name == nullptr) {
      continue;
    }
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    entries_.push_back({.address = symbol.st_value,
                        .size = symbol.st_size,
                        .name = name,
                        .function = type == STT_FUNC || type == STT_GNU_IFUNC});
  }
  std::ranges::stable_sort(entries_, {}, &Entry::address);
  by_name_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    by_name_.emplace(without_clone_suffix(entries_[i].name), static_cast<std::uint32_t>(i));
  }
}

Symbol SymbolTable::symbol(const Entry& entry) const {
  return {.name = std::string(entry.name),
          .address = entry.address + bias_,
          .size = entry.size,
          .function = entry.function};
}

std::vector<Symbol> SymbolTable::find(std::string_view name) const {
  std::vector<Symbol> symbols;
  const auto [first, last] = by_name_.equal_range(without_clone_suffix(name));
  for (auto it = first; it != last; ++it) {
    const Entry& entry = entries_[it->second];
    // A name with a suffix asks for that clone alone.
    if (entry.name == name || without_clone_suffix(name) == name) {
      symbols.push_back(symbol(entry));
    }
  }
  const auto rank = [name](const Symbol& s) {
    const int kind = s.name == name ? 0 : is_piece(s.name) ? 2 : 1;
    return std::pair(kind, s.address);
  };
  std::ranges::sort(symbols, {}, rank);
  return symbols;
}

std::optional<Symbol> SymbolTable::covering(Address address) const {
  const Address own = address - bias_;
  auto after = std::ranges::upper_bound(entries_, own, {}, &Entry::address);
  // Symbols nest rarely and shallowly (labels, aliases): a few steps back find the one that covers.
  for (int step = 0; step < 32 && after != entries_.begin(); ++step) {
    const Entry& entry = *--after;
    if (own - entry.address < entry.size || own == entry.address) {
      return symbol(entry);
    }
  }
  return std::nullopt;
}

} // namespace pygc::image
