#include "common/analysis/facts/thread_deeds.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pygc::analysis {
namespace {

constexpr std::size_t thread_limit = 1024;
constexpr std::size_t frame_limit = 24; // it waits for a lock, or allocates, but calls no more
constexpr std::array<std::string_view, 6> functions = {"_Py_brc_",
                                                       "_Py_DecRefShared",
                                                       "_Py_ExplicitMergeRefcount",
                                                       "merge_queued_objects",
                                                       "_Py_MergeZeroLocalRefcount",
                                                       "_PyObject_ResurrectEndSlow"};

bool is_merging(const image::Frame& frame) {
  return frame.function.empty() || std::ranges::any_of(functions, [&](std::string_view begin) {
           return frame.function.starts_with(begin);
         });
}

/// list_dealloc, tupledealloc, _Py_Dealloc; what leads to it, where the last call is a jump.
bool is_freeing(const image::Frame& frame) {
  return is_merging(frame) || frame.function.contains("dealloc") ||
         frame.function.contains("Dealloc") || frame.function.starts_with("Py_DecRef") ||
         frame.function.starts_with("_Py_DecRef");
}

/// What ends a thread abandons its heaps.
bool is_moving_pages(const image::Frame& frame) {
  return frame.function.empty() || frame.function.contains("mi_") ||
         frame.function.starts_with("PyThreadState_") || frame.function.starts_with("tstate_");
}

} // namespace

ThreadDeeds thread_deeds(const CheckInput& input) {
  constexpr ThreadDeeds unknown{.merging = true, .freeing = true, .moving_pages = true};
  if (input.threads.empty() || input.threads.size() > thread_limit) {
    return unknown;
  }
  ThreadDeeds deeds;
  for (const target::Thread& thread : input.threads) {
    const auto frames = input.image.unwind(thread, frame_limit);
    if (!frames || frames->empty()) {
      return unknown;
    }
    for (const image::Frame& frame : *frames) {
      deeds.merging |= is_merging(frame);
      deeds.freeing |= is_freeing(frame);
      deeds.moving_pages |= is_moving_pages(frame);
    }
  }
  return deeds;
}

} // namespace pygc::analysis
