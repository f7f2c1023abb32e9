// What a collector has noted of an object, whatever the build keeps it in.
#pragma once

#include <cstdint>

namespace pygc::cpython {

class GcState {
public:
  GcState() = default;
  /// From its bits, as the conversion gives them.
  explicit GcState(std::uint64_t bits) : value_(bits) {}
  GcState(std::int64_t gc_refs, bool collecting, bool finalized)
      : value_(static_cast<std::uint64_t>(gc_refs) << shift | (collecting ? collecting_bit : 0U) |
               (finalized ? finalized_bit : 0U)) {}

  /// A collection is at work on the object: its gc_refs is stored.
  bool is_collecting() const { return (value_ & collecting_bit) != 0; }
  /// As the collector stored it; meaningful while it is at work on the object.
  std::int64_t gc_refs() const { return static_cast<std::int64_t>(value_) >> shift; }
  /// tp_finalize has been called.
  bool is_finalized() const { return (value_ & finalized_bit) != 0; }
  explicit operator std::uint64_t() const { return value_; }

private:
  static constexpr std::uint64_t finalized_bit = 1;
  static constexpr std::uint64_t collecting_bit = 2;
  static constexpr unsigned shift = 2;

  std::uint64_t value_ = 0;
};

} // namespace pygc::cpython
