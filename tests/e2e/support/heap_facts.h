// What tests/e2e/scripts/type_sizes.py says of its heap.
#pragma once

#include "tests/e2e/support/explore.h"

#include <cstdint>
#include <map>
#include <string>

namespace pygc::e2e {

struct TypeTotal {
  std::uint64_t objects = 0;
  std::uint64_t size = 0;
  std::uint64_t in_pools = 0; // objects that lie in blocks of pymalloc
  std::uint64_t blocks = 0;   // bytes of these
  bool operator==(const TypeTotal&) const = default;
};

/// By address of the type: what gc.get_objects() and sys.getsizeof() give for the objects that are
/// in the core, too. Throws when the core has objects that the child has not.
std::map<std::uint64_t, TypeTotal> totals_by_type(const Core& core);

/// How many of the objects lie in blocks of a size, and how many blocks of that size are in use.
struct BlockClass {
  std::uint64_t objects = 0;
  std::uint64_t in_use = 0;
};
/// By size in bytes; empty for an interpreter without pymalloc.
std::map<std::uint64_t, BlockClass> block_classes(const Core& core);

/// An object that alone holds others, with the sums that Python computed.
struct Planted {
  std::uint64_t address = 0;
  std::uint64_t type = 0;
  std::uint64_t retained = 0;
  std::uint64_t objects = 0;
};
/// Throws when the script printed none of that name.
Planted planted(const Core& core, const std::string& name);

} // namespace pygc::e2e
