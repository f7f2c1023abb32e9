// Where a heap comes from: a collector's spaces, object by object.
#pragma once

#include "common/cpython/collector/gc_state.h"
#include "common/cpython/runtime.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace pygc::cpython {

/// What is wrong: the space, or of an object that is on it how its references are counted.
enum class FaultKind : std::uint8_t {
  space,
  count,    // what its fields say cannot be
  unmerged, // it waits to be merged, and nobody knows of it
};

/// A space that does not hang together, or an object whose count does not.
struct SpaceFault {
  FaultKind kind = FaultKind::space;
  Address object = 0;          // where it shows; 0: the head
  Address previous = 0;        // the object before it, 0 for the head
  std::string message;         // one sentence
  bool memory_missing = false; // the core lacks the memory: not a fault of the target
  bool in_motion = false;      // a thread was just changing it: no fault either
};

/// An object of a space.
struct TrackedObject {
  Address object = 0;
  std::uint64_t refcount = 0; // as load_refcount() gives it
  GcState state;
  const Error* unreadable = nullptr; // why there is no refcount
  bool in_motion = false;            // a thread was just changing its refcount: it cannot be told
  bool may_be_dead = false;          // a refcount of 0 is right: nobody has looked at it yet
};

/// What the receiver of an object makes of it.
enum class Verdict : std::uint8_t { usable, damaged, unreadable };

/// Takes what a HeapSource finds of one space.
class HeapSink {
public:
  HeapSink() = default;
  HeapSink(const HeapSink&) = delete;
  HeapSink& operator=(const HeapSink&) = delete;
  virtual ~HeapSink() = default;

  /// The next object in the collector's order. Of one that is not usable the sink keeps a fault.
  virtual Verdict add(const TrackedObject& tracked) = 0;
  /// Those of this space so far.
  virtual std::span<const Address> added() const = 0;
  /// Objects were added again and again: keeps each once.
  virtual void drop_repeated() = 0;

  /// Returns a number for withdraw().
  virtual std::size_t add_fault(SpaceFault fault) = 0;
  virtual void withdraw(std::size_t fault) = 0;
  /// Withdraws the fault of the object that was added last, and returns its sentence.
  virtual std::string take_back_object_fault() = 0;

  /// To be asked for each object. Errors: cancelled, limit.
  virtual Result<void> proceed() = 0;
};

class HeapSource {
public:
  HeapSource() = default;
  HeapSource(const HeapSource&) = delete;
  HeapSource& operator=(const HeapSource&) = delete;
  virtual ~HeapSource() = default;

  /// All objects of a space, in the collector's order. What is wrong with the space is a fault, and
  /// the walk goes on where it can. Errors: those of the sink.
  virtual Result<void> walk(const Interpreter& interpreter, const Space& space,
                            HeapSink& sink) const = 0;
};

} // namespace pygc::cpython
