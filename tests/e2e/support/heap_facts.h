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
  bool operator==(const TypeTotal&) const = default;
};

/// By address of the type: what gc.get_objects() and sys.getsizeof() give for the objects that are
/// in the core, too. Throws when the core has objects that the child has not.
std::map<std::uint64_t, TypeTotal> totals_by_type(const Core& core);

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
