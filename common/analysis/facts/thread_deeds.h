// What threads of a free-threaded build were at when the process was stopped.
#pragma once

#include "common/analysis/facts/input.h"

namespace pygc::analysis {

/// Each is true as well when the stacks do not tell.
struct ThreadDeeds {
  /// A thread may just be about to queue an object for its owner, or have taken one from a queue
  /// and not merged it yet (_Py_DecRefShared, Python/brc.c).
  bool merging = false;
  /// One may be about to free an object that has no references left: it is in a tp_dealloc or on
  /// the way to it (_Py_Dealloc, Objects/object.c).
  bool freeing = false;
  /// One may be moving pages of objects from one list of the allocator to another
  /// (_mi_page_free_collect, _mi_heap_collect_abandon; Objects/mimalloc).
  bool moving_pages = false;
};

/// Unwinds all threads.
ThreadDeeds thread_deeds(const CheckInput& input);

} // namespace pygc::analysis
