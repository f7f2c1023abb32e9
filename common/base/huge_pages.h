// Large arrays in huge pages: page faults are dear on some machines, and arrays that grow are
// copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace pygc {

/// Asks for huge pages in what lies whole in [start, start + size). Where the kernel has none the
/// pages are small, no more.
inline void use_huge_pages(void* start, std::size_t size) {
  constexpr std::uintptr_t huge_page = std::uintptr_t{2} << 20U;
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::uintptr_t first = (address + huge_page - 1) / huge_page * huge_page;
  const std::uintptr_t last = (address + size) / huge_page * huge_page;
  if (first < last) {
    ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  }
}

/// Room for `count` elements of an empty array. When there is none, it grows as it is filled.
template <class T> void reserve_huge(std::vector<T>& array, std::size_t count) {
  try {
    array.reserve(count);
    use_huge_pages(array.data(), array.capacity() * sizeof(T));
  } catch (const std::bad_alloc&) {
    return; // what is reserved may be more than what is needed
  }
}

} // namespace pygc
