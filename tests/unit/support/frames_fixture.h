// Two frames made by hand, one called from the other, of the first thread of an interpreter.
#pragma once

#include "common/cpython/objects/running_frames.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>
#include <vector>

namespace pygc::cpython::testing {

class TwoFrames : public ::testing::Test {
protected:
  std::vector<FrameReference> read() {
    heap_.finish();
    return frame_references(heap_.reader(), heap_.runtime().interpreters.front());
  }
  std::vector<Address> objects() {
    std::vector<Address> objects;
    for (const FrameReference& reference : read()) {
      objects.push_back(reference.object);
    }
    return objects;
  }

  pygc::tests::HeapBuilder heap_;
  Address code_ = 0;
  Address inner_ = 0;
  Address outer_ = 0;
};

} // namespace pygc::cpython::testing
