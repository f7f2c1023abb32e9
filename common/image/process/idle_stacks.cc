#include "common/image/process/idle_stacks.h"

#include "common/machine/page.h"

#include <algorithm>

namespace pygc::image {
namespace {

// The thread's control block and what lies behind it.
constexpr std::uint64_t max_thread_data = std::uint64_t{64} << 10U;
// Of the ABI: what a function that calls none uses below its stack pointer.
constexpr std::uint64_t red_zone = 128;

} // namespace

std::vector<Range> idle_stacks(const AddressSpace& memory,
                               std::span<const target::Thread> threads) {
  std::vector<Address> pointers;
  pointers.reserve(threads.size());
  for (const target::Thread& thread : threads) {
    pointers.push_back(thread.sp);
  }
  std::ranges::sort(pointers);
  std::vector<Range> idle;
  for (const target::Thread& thread : threads) {
    const Region* region = memory.find(thread.sp);
    if (region == nullptr || thread.sp < red_zone || thread.thread_pointer <= thread.sp ||
        thread.thread_pointer >= region->end ||
        region->end - thread.thread_pointer > max_thread_data) {
      continue;
    }
    const Range below{region->start, machine::page_down(thread.sp - red_zone)};
    const auto lowest = std::ranges::lower_bound(pointers, region->start);
    if (below.start < below.end && lowest != pointers.end() && *lowest == thread.sp) {
      idle.push_back(below);
    }
  }
  std::ranges::sort(idle, {}, &Range::start);
  return idle;
}

} // namespace pygc::image
