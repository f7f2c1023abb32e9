// The way from a type to what lies at an offset of it.
#pragma once

#include "common/image/dwarf/dwarf_info.h"

#include <cstdint>
#include <string>

namespace pygc::image {

struct TypePath {
  Dwarf_Die type;           // peeled; the innermost that covers the offset
  std::uint64_t offset = 0; // within it
  std::string text;         // as C spells it: ".handlers[3].file"; of base classes nothing
};

/// `type` is peeled.
TypePath path_into(Dwarf_Die type, std::uint64_t offset);

} // namespace pygc::image
