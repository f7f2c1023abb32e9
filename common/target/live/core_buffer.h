// A core in our own memory: in huge pages, so that making it and reading it costs no fault a page.
#pragma once

#include "common/base/error.h"
#include "common/target/live/snapshot_plan.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

namespace pygc::target {

class CoreBuffer {
public:
  CoreBuffer() = default;
  CoreBuffer(CoreBuffer&& other) noexcept
      : map_(std::exchange(other.map_, {})), size_(std::exchange(other.size_, 0)) {}
  CoreBuffer& operator=(CoreBuffer&& other) noexcept;
  ~CoreBuffer();

  /// Room for a core of that many bytes, zeros where nothing is written. What was written stays; it
  /// may move. Errors: limit.
  Result<void> resize(std::uint64_t size);
  /// Makes the pages of the pieces, which lie within its size. False: `stop` said so.
  bool make_pages(std::span<const PlannedPiece> pieces, const std::function<bool()>& stop);

  std::span<std::byte> bytes() { return {map_.data() + lead, size_}; }
  std::span<const std::byte> bytes() const { return {map_.data() + lead, size_}; }

  /// In front of the core, so that no offset in it is that of a page: by way of /proc/self/mem a
  /// reader can read it, and cannot map it.
  static constexpr std::size_t lead = 64;

private:
  std::span<std::byte> map_;
  std::uint64_t size_ = 0;
};

} // namespace pygc::target
