// Whether a thread was just working at an object when the process was stopped.
#pragma once

#include "common/analysis/facts/input.h"

#include <unordered_set>

namespace pygc::analysis {

/// The registers of all threads. What changes a count, links or unlinks an object has its address
/// in one, so that a state that lasts a few instructions (Py_DECREF to tp_dealloc, within
/// PyObject_GC_Track) is told from one that stays.
class WorkedAt {
public:
  explicit WorkedAt(const CheckInput& input);

  /// A register holds the address of the object or of its GC head.
  bool contains(Address object) const;

private:
  Address gc_head_size_;
  std::unordered_set<std::uint64_t> registers_;
};

} // namespace pygc::analysis
