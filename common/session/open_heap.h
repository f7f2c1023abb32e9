// What commands about the objects of a heap begin with.
#pragma once

#include "common/session/context.h"

#include <memory>

namespace pygc::session {

/// The target with its CPython found, its heap walked and the engine that the options choose.
struct OpenHeap {
  std::unique_ptr<Context> context;
  replay::Replayer* replayer = nullptr;
  const heap::Heap* heap = nullptr;
};

Result<OpenHeap> open_heap(const Options& options, Surroundings& surroundings);
/// The rest of it, of a target whose Python has been found.
Result<OpenHeap> open_heap(std::unique_ptr<Context> context);

} // namespace pygc::session
