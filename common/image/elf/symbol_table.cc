#include "common/image/elf/symbol_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace pygc::image {
namespace {

// Cold parts and split-off pieces begin in the middle of a function.
bool is_piece(std::string_view name) {
  return name.find(".cold") != std::string_view::npos ||
         name.find(".part.") != std::string_view::npos;
}

// The bytes of a section as a table of T, if libelf takes it for one.
template <class T> std::span<const T> table(Elf_Scn* handle, Elf_Type type) {
  const Elf_Data* data = handle == nullptr ? nullptr : ::elf_getdata(handle, nullptr);
  if (data == nullptr || data->d_buf == nullptr || data->d_type != type) {
    return {};
  }
  return {static_cast<const T*>(data->d_buf), data->d_size / sizeof(T)};
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
  names_ = table<char>(::elf_getscn(elf.get(), section.link), ELF_T_BYTE);
  if (!names_.empty() && names_.back() == '\0') {
    symbols_ = table<Elf64_Sym>(section.handle, ELF_T_SYM);
  }
}

bool SymbolTable::is_wanted(const Elf64_Sym& symbol) const {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && symbol.st_name != 0 &&
         symbol.st_name < names_.size() &&
         (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_GNU_IFUNC);
}

Symbol SymbolTable::describe(const Elf64_Sym& symbol) const {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return {.name = name_of(symbol),
          .address = symbol.st_value + bias_,
          .size = symbol.st_size,
          .function = type == STT_FUNC || type == STT_GNU_IFUNC};
}

std::vector<Symbol> SymbolTable::find(std::string_view name) const {
  std::vector<Symbol> found;
  for (const Elf64_Sym& symbol : symbols_) {
    // A pass over the raw table costs less than any index unless hundreds of names are asked.
    if (!is_wanted(symbol) || std::strncmp(name_of(symbol), name.data(), name.size()) != 0) {
      continue;
    }
    const std::string_view its_name = name_of(symbol);
    if (its_name.size() == name.size() || without_clone_suffix(its_name) == name) {
      found.push_back(describe(symbol));
    }
  }
  const auto rank = [name](const Symbol& s) {
    const int kind = s.name == name ? 0 : is_piece(s.name) ? 2 : 1;
    return std::pair(kind, s.address);
  };
  std::ranges::sort(found, {}, rank);
  return found;
}

const std::vector<std::uint32_t>& SymbolTable::by_address() const {
  if (by_address_.empty()) {
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      if (is_wanted(symbols_[i])) {
        by_address_.push_back(static_cast<std::uint32_t>(i));
      }
    }
    std::ranges::stable_sort(by_address_, {},
                             [this](std::uint32_t i) { return symbols_[i].st_value; });
  }
  return by_address_;
}

std::optional<Symbol> SymbolTable::covering(Address address) const {
  const Address own = address - bias_;
  const auto& order = by_address();
  auto after = std::ranges::upper_bound(order, own, {},
                                        [this](std::uint32_t i) { return symbols_[i].st_value; });
  // Symbols nest rarely and shallowly (labels, aliases): a few steps back find the one that covers.
  for (int step = 0; step < 32 && after != order.begin(); ++step) {
    const Elf64_Sym& symbol = symbols_[*--after];
    if (own - symbol.st_value < symbol.st_size || own == symbol.st_value) {
      return describe(symbol);
    }
  }
  return std::nullopt;
}

} // namespace pygc::image
