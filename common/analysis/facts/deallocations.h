// Objects that are being freed, by the functions on the threads' stacks.
#pragma once

#include "common/analysis/facts/input.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

/// A tp_dealloc that runs.
struct Deallocation {
  std::string function;    // "job_dealloc"
  std::string library;     // path
  std::string line;        // "job.c:12"; empty without debug information
  bool has_called = false; // other code, but what untracks it or counts it again
};

class Deallocations {
public:
  explicit Deallocations(const CheckInput& input) : input_(input) {}

  /// The tp_dealloc of the type, or of a base of it, that a thread is in; the innermost one. Where
  /// debug information tells its argument, that is the object.
  std::optional<Deallocation> find(Address object, Address type);

private:
  /// Unwinds the threads, once.
  void unwind();

  const CheckInput& input_;
  bool unwound_ = false;
  std::vector<image::Frame> frames_; // of all threads, those with a signal first
  std::vector<bool> have_called_;    // each of them
};

} // namespace pygc::analysis
