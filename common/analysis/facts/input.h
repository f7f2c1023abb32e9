// What an analysis of a heap works on.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/heap/heap.h"
#include "common/image/module.h"
#include "common/replay/emulated.h"
#include "common/replay/replay.h"
#include "common/target/target.h"

#include <vector>

namespace pygc::analysis {

/// All that a check or an audit works on; everything outlives it.
struct CheckInput {
  const image::ProcessImage& image;
  cpython::ObjectReader& reader;
  const heap::Heap& heap;
  const std::vector<target::Thread>& threads;
  replay::Replayer& replayer;
  replay::Tracer* tracer = nullptr;   // null: slots and owners stay unknown
  replay::Replayer* second = nullptr; // null: its results are not compared with another engine's
  bool deep = false;                  // trace every object, not a sample of each type
  bool truncated = false;             // the target's memory ends before it should
};

} // namespace pygc::analysis
