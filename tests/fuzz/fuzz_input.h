// What the fuzzed programs have in common: their input, as a file too, and an oracle that ends
// them.
#pragma once

#include "common/base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>

namespace pygc::fuzz {

/// What does not hold is a finding.
inline void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// A file without a name that has these bytes.
inline UniqueFd file_of(std::span<const std::uint8_t> bytes) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  must(fd && ::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return fd;
}

/// The input from its beginning on, in pieces; zeros behind its end.
class Input {
public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> take(std::size_t size) {
    const auto piece = rest_.first(size < rest_.size() ? size : rest_.size());
    rest_ = rest_.subspan(piece.size());
    return piece;
  }
  std::span<const std::uint8_t> rest() { return take(rest_.size()); }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  T take() {
    T value{};
    const auto piece = take(sizeof value);
    if (!piece.empty()) {
      std::memcpy(&value, piece.data(), piece.size());
    }
    return value;
  }
  std::string_view text() {
    const auto piece = rest();
    return {reinterpret_cast<const char*>(piece.data()), piece.size()};
  }

private:
  std::span<const std::uint8_t> rest_;
};

} // namespace pygc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
