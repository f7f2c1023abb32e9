// Names of static storage from DWARF: a variable and the path to the member at an address.
#pragma once

#include "common/image/dwarf/dwarf_info.h"

#include <string>

namespace pygc::image {

/// "variable.member[3].field" for an address as linked. Errors: no_symbol.
Result<std::string> describe_static_variable(const DwarfInfo& dwarf, Address address);

} // namespace pygc::image
