// Functions of an image in its DWARF: scopes at a code address, declarations.
#pragma once

#include "common/image/dwarf/dwarf_info.h"

#include <string>
#include <vector>

namespace pygc::image {

/// The entries that enclose a code address (as linked), innermost first, up to the function that
/// holds the code; inlined calls lie in between. Empty when the DWARF knows no function there.
std::vector<Dwarf_Die> code_scopes(const DwarfInfo& dwarf, Address address);

/// "dir/file.c:123": where the function that holds a code address was declared, or the line
/// table's entry. Errors: no_symbol.
Result<std::string> describe_source_line(const DwarfInfo& dwarf, Address address);

} // namespace pygc::image
