// The walk of a collector's list: the input damages a sound one. A list that is told to be sound
// has to be so by another reading of the same memory.
#include "common/heap/heap.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/unit/support/heap_builder.h"

#include <algorithm>
#include <set>
#include <vector>

namespace pygc {
namespace {

constexpr Address head_size = 16;
constexpr Address prev_offset = 8;

class DamagedList {
public:
  explicit DamagedList(std::uint32_t count) {
    head_ = builder_.reserve(head_size);
    builder_.runtime().interpreters.front().spaces.front().head = head_;
    Address before = head_;
    for (std::uint32_t i = 0; i < count; ++i) {
      builder_.add_object(1);
      nodes_.push_back(builder_.object(i) - head_size);
      connect(before, nodes_.back());
      before = nodes_.back();
    }
    connect(before, head_);
  }

  void damage(fuzz::Input& input) {
    const Address node = any(input);
    const auto word = input.take<std::uint8_t>() % 5U; // links, count, type, body
    const Address at = node + 8 * Address{word};
    const std::uint64_t old = builder_.stored(at);
    std::uint64_t value = 0;
    switch (input.take<std::uint8_t>() % 6) {
    case 0:
      value = any(input);
      break;
    case 1:
      value = old ^ std::uint64_t{1} << (input.take<std::uint8_t>() % 64U);
      break;
    case 2:
      value = any(input) + head_size;
      break;
    case 3:
      value = input.take<std::uint64_t>();
      break;
    case 4:
      value = old + 16;
      break;
    default:
      break;
    }
    builder_.store(at, value);
  }

  heap::Heap walk() {
    builder_.finish();
    auto heap = heap::walk_heap(builder_.reader(), [] { return false; });
    fuzz::must(heap.has_value());
    return std::move(*heap);
  }

  /// Goes once around by the nodes' own addresses, both ways, without a flag anywhere.
  bool is_sound(std::size_t& count) const {
    Address at = head_;
    count = 0;
    do {
      const Address next = builder_.stored(at);
      const bool known = next == head_ || std::ranges::find(nodes_, next) != nodes_.end();
      // _PyGC_PREV_MASK_FINALIZED is no damage, but of the head.
      const std::uint64_t finalized = next == head_ ? 0 : 1;
      if (!known || (builder_.stored(next + prev_offset) & ~finalized) != at ||
          count > nodes_.size()) {
        return false;
      }
      count += next == head_ ? 0 : 1;
      at = next;
    } while (at != head_);
    return true;
  }

private:
  void connect(Address left, Address right) {
    builder_.store(left, right);
    builder_.store(right + prev_offset, left);
  }
  Address any(fuzz::Input& input) const {
    const std::size_t index = input.take<std::uint8_t>() % (nodes_.size() + 1);
    return index == nodes_.size() ? head_ : nodes_[index];
  }

  tests::HeapBuilder builder_;
  Address head_ = 0;
  std::vector<Address> nodes_;
};

} // namespace
} // namespace pygc

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  fuzz::Input input(data, std::min<std::size_t>(size, 256));
  DamagedList list(input.take<std::uint8_t>() % 24U);
  while (!input.empty()) {
    list.damage(input);
  }
  const heap::Heap heap = list.walk();
  const std::set<Address> once(heap.objects.begin(), heap.objects.end());
  fuzz::must(once.size() == heap.objects.size());
  std::size_t count = 0;
  if (heap.corruptions.empty()) {
    fuzz::must(list.is_sound(count) && count == heap.objects.size());
  }
  return 0;
}
