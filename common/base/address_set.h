// Many addresses of objects, asked for again and again.
#pragma once

#include "common/base/error.h"

#include <bitset>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace pygc {

/// A bit for each 8 bytes of memory, a megabyte at a time; addresses between those are kept one by
/// one.
class AddressSet {
public:
  void insert(Address address) {
    if (address % granule != 0) {
      odd_.insert(address);
      return;
    }
    std::unique_ptr<Block>& block = blocks_[address >> block_shift];
    if (!block) {
      block = std::make_unique<Block>();
      last_number_ = none;
    }
    block->set(bit_of(address));
  }

  bool contains(Address address) const {
    if (address % granule != 0) {
      return odd_.contains(address);
    }
    const std::uint64_t number = address >> block_shift;
    if (number != last_number_) {
      const auto found = blocks_.find(number);
      last_ = found == blocks_.end() ? nullptr : found->second.get();
      last_number_ = number;
    }
    return last_ != nullptr && last_->test(bit_of(address));
  }

private:
  static constexpr unsigned block_shift = 20;
  static constexpr Address granule = 8;
  static constexpr std::uint64_t none = ~std::uint64_t{0}; // no block's number
  using Block = std::bitset<(std::size_t{1} << block_shift) / granule>;

  static std::size_t bit_of(Address address) {
    return (address & ((Address{1} << block_shift) - 1)) / granule;
  }

  std::unordered_map<std::uint64_t, std::unique_ptr<Block>> blocks_;
  std::unordered_set<Address> odd_;
  mutable std::uint64_t last_number_ = none; // that was asked for
  mutable const Block* last_ = nullptr;
};

} // namespace pygc
