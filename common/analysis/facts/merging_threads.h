// Threads of a free-threaded build that are at the counts of an object, or free one.
#pragma once

#include "common/analysis/facts/input.h"

namespace pygc::analysis {

/// Whether a thread may just be about to queue an object for its owner, or have taken one from a
/// queue and not merged it yet (_Py_DecRefShared, Python/brc.c): also when the stacks do not tell.
bool may_be_merging(const CheckInput& input);

/// Whether a thread may just be about to free an object that has no references left: one is in a
/// tp_dealloc or on the way to it (_Py_Dealloc, Objects/object.c), or the stacks do not tell.
bool may_be_freeing(const CheckInput& input);

/// Whether a thread may just be moving pages of objects from one list of the allocator to another
/// (_mi_page_free_collect, _mi_heap_collect_abandon; Objects/mimalloc), or the stacks do not tell.
bool may_be_moving_pages(const CheckInput& input);

} // namespace pygc::analysis
