// Indices that cannot be taken for those of another array.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pygc {

/// An index of 32 bits; `Tag` says of what. Made explicitly, read as a number.
template <class Tag> class Index {
public:
  constexpr Index() = default;
  explicit constexpr Index(std::size_t value) : value_(static_cast<std::uint32_t>(value)) {}

  constexpr operator std::uint32_t() const { return value_; } // NOLINT(*-explicit-*)
  friend constexpr auto operator<=>(const Index&, const Index&) = default;

private:
  std::uint32_t value_ = 0;
};

/// An array that is indexed by nothing else.
template <class I, class T> class IndexedVector : public std::vector<T> {
public:
  using std::vector<T>::vector;
  explicit IndexedVector(std::vector<T> values) : std::vector<T>(std::move(values)) {}

  decltype(auto) operator[](I index) { return std::vector<T>::operator[](index); }
  decltype(auto) operator[](I index) const { return std::vector<T>::operator[](index); }
};

} // namespace pygc
