#include "common/image/dwarf_source.h"

#include <cstdlib>
#include <dwarf.h>
#include <memory>
#include <span>

namespace pygc::image {
namespace {

using Scopes = std::unique_ptr<Dwarf_Die, decltype(&std::free)>;

// Build trees are compiled from a subdirectory: "../Modules/x.c" is "Modules/x.c" of the source.
std::string_view without_leading_dots(std::string_view path) {
  while (path.starts_with("../") || path.starts_with("./")) {
    path.remove_prefix(path.find('/') + 1);
  }
  return path;
}

} // namespace

std::vector<Dwarf_Die> code_scopes(const DwarfInfo& dwarf, Address address) {
  auto unit = dwarf.unit_at(address);
  if (!unit) {
    return {};
  }
  Dwarf_Die* by_address = nullptr;
  if (::dwarf_getscopes(&*unit, address, &by_address) <= 0) {
    return {};
  }
  const Scopes innermost(by_address, &std::free);
  // dwarf_getscopes() leaves the physical nesting at the first inlined call.
  Dwarf_Die* by_nesting = nullptr;
  const int count = ::dwarf_getscopes_die(innermost.get(), &by_nesting);
  const Scopes nesting(by_nesting, &std::free);
  if (count <= 0) {
    return {};
  }
  std::vector<Dwarf_Die> scopes;
  for (Dwarf_Die& die : std::span(nesting.get(), static_cast<std::size_t>(count))) {
    scopes.push_back(die);
    if (::dwarf_tag(&die) == DW_TAG_subprogram) {
      return scopes;
    }
  }
  return {}; // in a unit's range, but in no function of it
}

Result<std::string> describe_source_line(const DwarfInfo& dwarf, Address address) {
  if (auto scopes = code_scopes(dwarf, address); !scopes.empty()) {
    Dwarf_Die& function = scopes.back();
    const char* file = ::dwarf_decl_file(&function);
    int line = 0;
    if (file != nullptr && ::dwarf_decl_line(&function, &line) == 0) {
      return std::string(without_leading_dots(file)) + ":" + std::to_string(line);
    }
  }
  if (auto unit = dwarf.unit_at(address)) {
    Dwarf_Line* entry = ::dwarf_getsrc_die(&*unit, address);
    const char* file = ::dwarf_linesrc(entry, nullptr, nullptr);
    int line = 0;
    if (file != nullptr && ::dwarf_lineno(entry, &line) == 0) {
      return std::string(without_leading_dots(file)) + ":" + std::to_string(line);
    }
  }
  return fail(ErrorKind::no_symbol, address, "no function of the debug information is there");
}

} // namespace pygc::image
