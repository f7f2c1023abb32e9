// Memory shared with the replayer: sparse, as large as could be needed, mapped once on both sides.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <cstddef>
#include <cstring>
#include <span>

namespace pygc::replay {

class SharedWindow {
public:
  /// Errors: replayer.
  static Result<SharedWindow> create(std::uint64_t size);

  SharedWindow(SharedWindow&& other) noexcept;
  SharedWindow& operator=(SharedWindow&&) = delete;
  SharedWindow(const SharedWindow&) = delete;
  SharedWindow& operator=(const SharedWindow&) = delete;
  ~SharedWindow();

  int fd() const { return fd_.get(); }
  std::uint64_t size() const { return size_; }
  /// The replayer's mark of progress.
  std::uint64_t progress() const;

  /// Forgets all arrays laid out.
  void restart() { used_ = protocol::window_header_size; }
  /// The same, and gives their memory back, on both sides.
  void release();
  std::uint64_t room() const { return size_ - used_; }
  /// The most elements that allocate() has room for.
  std::uint64_t most(std::size_t element_size) const;
  /// Space for an array; its offset. Errors: limit.
  Result<std::uint64_t> allocate(std::uint64_t count, std::size_t element_size);

  /// Space for an array and what it holds.
  template <class T> Result<std::uint64_t> put(std::span<const T> values) {
    auto offset = allocate(values.size(), sizeof(T));
    if (offset && !values.empty()) {
      std::memcpy(base_ + *offset, values.data(), values.size_bytes());
    }
    return offset;
  }
  template <class T> void set(std::uint64_t offset, std::uint64_t index, const T& value) {
    std::memcpy(base_ + offset + index * sizeof(T), &value, sizeof(T));
  }
  /// A copy of an element: the original may change under our hands.
  template <class T> T get(std::uint64_t offset, std::uint64_t index) const {
    T value;
    std::memcpy(&value, base_ + offset + index * sizeof(T), sizeof(T));
    return value;
  }

private:
  SharedWindow(UniqueFd fd, std::byte* base, std::uint64_t size);

  UniqueFd fd_;
  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t used_ = protocol::window_header_size;
};

} // namespace pygc::replay
