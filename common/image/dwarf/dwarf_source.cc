#include "common/image/dwarf/dwarf_source.h"

#include <cstring>
#include <dwarf.h>

namespace pygc::image {
namespace {

// Deeper than compilers inline; damaged DWARF ends here.
constexpr int max_depth = 256;

bool may_hold_functions(int tag) {
  return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type;
}

// Appends what encloses the address below `parent`, innermost first. (dwarf_getscopes() looks for
// the abstract origin of an inlined call in the same unit, and fails under LTO.)
bool collect(Dwarf_Die& parent, Address address, std::vector<Dwarf_Die>& scopes, int depth) {
  bool found = false;
  for_each_child(parent, [&](Dwarf_Die& child) {
    const int tag = ::dwarf_tag(&child);
    if (may_hold_functions(tag) && depth > 0) {
      found = collect(child, address, scopes, depth - 1);
    } else if ((tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
                tag == DW_TAG_lexical_block) &&
               ::dwarf_haspc(&child, address) > 0) {
      found = true;
      if (depth > 0) {
        collect(child, address, scopes, depth - 1);
      }
      scopes.push_back(child);
    }
    return !found;
  });
  return found;
}

// A path as the source tree has it. Line tables may spell it from the root; and build trees are
// compiled from a subdirectory, where "../Modules/x.c" is "Modules/x.c" of the source.
std::string source_position(Dwarf_Die& unit, std::string_view path, int line) {
  Dwarf_Attribute attribute;
  const char* directory = ::dwarf_formstring(::dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
  if (directory != nullptr && path.starts_with(std::string(directory) + "/")) {
    path.remove_prefix(std::strlen(directory) + 1);
  }
  while (path.starts_with("../") || path.starts_with("./")) {
    path.remove_prefix(path.find('/') + 1);
  }
  return std::string(path) + ":" + std::to_string(line);
}

} // namespace

std::vector<Dwarf_Die> code_scopes(const DwarfInfo& dwarf, Address address) {
  std::vector<Dwarf_Die> scopes;
  if (auto unit = dwarf.unit_at(address)) {
    collect(*unit, address, scopes, max_depth);
  }
  return scopes;
}

Result<std::string> describe_source_line(const DwarfInfo& dwarf, Address address) {
  int line = 0;
  if (auto scopes = code_scopes(dwarf, address); !scopes.empty()) {
    Dwarf_Die& function = scopes.back();
    // Under LTO the declaration lies in another unit than the code.
    Dwarf_Attribute attribute;
    Dwarf_Die unit = function;
    if (::dwarf_attr_integrate(&function, DW_AT_decl_file, &attribute) != nullptr) {
      ::dwarf_cu_die(attribute.cu, &unit, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    }
    const char* file = ::dwarf_decl_file(&function);
    if (file != nullptr && ::dwarf_decl_line(&function, &line) == 0) {
      return source_position(unit, file, line);
    }
  }
  if (auto unit = dwarf.unit_at(address)) {
    Dwarf_Line* entry = ::dwarf_getsrc_die(&*unit, address);
    const char* file = ::dwarf_linesrc(entry, nullptr, nullptr);
    if (file != nullptr && ::dwarf_lineno(entry, &line) == 0) {
      return source_position(*unit, file, line);
    }
  }
  return fail(ErrorKind::no_symbol, address, "no function of the debug information is there");
}

} // namespace pygc::image
