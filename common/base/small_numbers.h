// Numbers of which nearly all are small, one for each of millions of objects.
#pragma once

#include "common/base/huge_pages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace pygc {

/// An array, indexed by `I` alone, of what converts to 64 bits and back: two bytes each, and
/// sixteen more for a number of 2^16 - 1 and above.
template <class I, class T> class SmallNumbers {
public:
  std::size_t size() const { return small_.size(); }
  void reserve(std::size_t count) { reserve_huge(small_, count); }

  T operator[](I index) const {
    const Small small = small_[index];
    return small != elsewhere ? T(small) : T(find(index)->second);
  }

  void push_back(T value) {
    const auto number = static_cast<std::uint64_t>(value);
    if (number >= elsewhere) {
      large_.emplace_back(static_cast<std::uint32_t>(small_.size()), number);
    }
    small_.push_back(narrow(number));
  }

  void set(I index, T value) {
    const auto number = static_cast<std::uint64_t>(value);
    if (small_[index] == elsewhere) {
      large_.erase(find(index));
    }
    if (number >= elsewhere) {
      large_.emplace(find(index), index, number);
    }
    small_[index] = narrow(number);
  }

  /// Forgets what is behind the first `count`.
  void truncate(std::size_t count) {
    small_.resize(count);
    large_.erase(find(I(count)), large_.end());
  }

private:
  using Small = std::uint16_t;
  using Large = std::pair<std::uint32_t, std::uint64_t>; // index, number
  static constexpr Small elsewhere = std::numeric_limits<Small>::max();

  static Small narrow(std::uint64_t number) {
    return static_cast<Small>(std::min<std::uint64_t>(number, elsewhere));
  }

  /// The first large number at or behind the index.
  auto find(I index) const { return std::ranges::lower_bound(large_, index, {}, &Large::first); }

  std::vector<Small> small_;
  std::vector<Large> large_; // ascending
};

} // namespace pygc
