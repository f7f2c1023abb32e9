#include "common/target/live/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace pygc::target {
namespace {

// Copying memory is not faster with more.
constexpr std::size_t max_threads = 4;

} // namespace

bool in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                 const std::function<bool()>& stop) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  const auto help = [&] {
    while (!stopped) {
      const std::size_t i = next++;
      if (i >= count) {
        return;
      }
      work(i);
    }
  };
  // Before the others begin: they might take all pieces before it is asked.
  if (count == 0) {
    return true;
  }
  std::size_t own = next++;
  if (stop()) {
    return false;
  }
  const std::size_t processors = std::thread::hardware_concurrency();
  const std::size_t wanted = std::min({count, processors, max_threads});
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < wanted; ++i) {
      helpers.emplace_back(help);
    }
  } catch (const std::system_error&) { // no more than there are
  }
  for (;;) {
    work(own);
    own = next++;
    if (own >= count) {
      return true;
    }
    if (stop()) {
      stopped = true;
      return false;
    }
  }
}

} // namespace pygc::target
