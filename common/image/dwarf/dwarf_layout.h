// Layouts of structs and typedefs from DWARF.
#pragma once

#include "common/image/dwarf/dwarf_info.h"
#include "common/image/module.h"

#include <vector>

namespace pygc::image {

/// Finds a complete definition of each struct wanted; what is not defined is left out.
Layouts read_layouts(const DwarfInfo& dwarf, const std::vector<LayoutQuery>& wanted);

} // namespace pygc::image
