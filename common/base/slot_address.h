// Where a pointer lies, told apart from what it points to.
#pragma once

#include "common/base/error.h"

#include <compare>
#include <functional>

namespace pygc {

/// One strong reference is one slot. Never to be passed for the address of an object.
struct SlotAddress {
  Address at = 0; // 0: not known

  constexpr bool is_known() const { return at != 0; }
  friend constexpr auto operator<=>(const SlotAddress&, const SlotAddress&) = default;
};

} // namespace pygc

template <> struct std::hash<pygc::SlotAddress> {
  std::size_t operator()(const pygc::SlotAddress& slot) const noexcept {
    return std::hash<pygc::Address>()(slot.at);
  }
};
