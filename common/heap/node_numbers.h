// Some of a graph's nodes, numbered: arrays of what is told of them need no room for the others.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace pygc::heap {

/// The members of a graph's nodes have numbers from 0, in the order of the nodes. 1.5 bits a node.
class NodeNumbers {
public:
  NodeNumbers() = default;
  /// `members`: one flag a node.
  explicit NodeNumbers(const std::vector<bool>& members)
      : flags_((members.size() + bits - 1) / bits), before_(flags_.size()) {
    for (std::size_t node = 0; node < members.size(); ++node) {
      flags_[node / bits] |= std::uint64_t{members[node]} << node % bits;
    }
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      before_[i] = count_;
      count_ += static_cast<std::uint32_t>(std::popcount(flags_[i]));
    }
  }

  std::uint32_t count() const { return count_; }
  bool contains(std::uint32_t node) const { return (flags_[node / bits] >> node % bits & 1) != 0; }
  /// Of a member.
  std::uint32_t number(std::uint32_t node) const {
    const std::uint64_t lower = (std::uint64_t{1} << node % bits) - 1;
    return before_[node / bits] +
           static_cast<std::uint32_t>(std::popcount(flags_[node / bits] & lower));
  }
  /// Calls take(node) for each, ascending.
  template <class Take> void each(const Take& take) const {
    for (std::size_t i = 0; i < flags_.size(); ++i) {
      for (std::uint64_t left = flags_[i]; left != 0; left &= left - 1) {
        take(static_cast<std::uint32_t>(i * bits) +
             static_cast<std::uint32_t>(std::countr_zero(left)));
      }
    }
  }

private:
  static constexpr std::size_t bits = 64;

  std::vector<std::uint64_t> flags_;  // a bit a node
  std::vector<std::uint32_t> before_; // by word of the flags: members before it
  std::uint32_t count_ = 0;
};

} // namespace pygc::heap
