// The threads of a free-threaded build, and where each has its heaps.
#include "common/cpython/collector/free_threaded_walk.h"
#include "common/cpython/type_proof.h"

#include <fmt/format.h>
#include <unordered_set>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = std::size_t{1} << 20U;

} // namespace

Result<std::vector<Address>> thread_states(const image::AddressSpace& memory, const Layout& layout,
                                           const Interpreter& interpreter) {
  if (!layout.interp_threads || !layout.thread_next) {
    return fail(ErrorKind::corrupt, interpreter.address, "the layout has no list of threads");
  }
  std::vector<Address> threads;
  std::unordered_set<Address> seen;
  auto next = memory.load<Address>(interpreter.address + *layout.interp_threads);
  while (next && *next != 0) {
    if (!is_plausible(*next) || threads.size() >= thread_limit || !seen.insert(*next).second) {
      return fail(ErrorKind::corrupt, *next,
                  fmt::format("the list of threads leads to {:#x}, and not to its end", *next));
    }
    threads.push_back(*next);
    next = memory.load<Address>(*next + *layout.thread_next);
  }
  if (!next) {
    return std::unexpected(next.error());
  }
  return threads;
}

Result<bool> has_heaps(const image::AddressSpace& memory, const Layout& layout, Address thread) {
  const auto ready = memory.load<std::int32_t>(thread + layout.free_threaded->thread_heaps_ready);
  return ready ? Result<bool>(*ready != 0) : std::unexpected(ready.error());
}

Address heap_of(const FreeThreadedLayout& layout, Address thread, unsigned heap) {
  return thread + layout.thread_heaps + Address{heap} * layout.heap_size;
}

} // namespace pygc::cpython
