// The emulated engine: runs no instruction of the target on the processor, and tells for each visit
// from where the visited pointer was loaded.
#pragma once

#include "common/replay/replay.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace pygc::replay {

struct TraceRequest {
  Address container = 0;
  Address function = 0; // 0: its tp_traverse
};

struct TracedVisit {
  std::uint32_t request = 0; // index into the requests
  Address object = 0;
  /// From where the pointer was last loaded before the visit, the traversal's own stack left aside
  /// (compilers keep copies there); 0: it was not loaded but computed.
  Address slot = 0;
  /// visit_decref would subtract this visit if the object were in the collected set: it is a GC
  /// object and, from 3.14 on, not a borrowed stack reference. Found by running the traversal a
  /// second time with visit_decref and reading how often each object was decremented. If one object
  /// is visited more often than decremented, the visits left out are those whose slot has tag bits,
  /// then the last. When visit_decref is unknown: it is a GC object, no more.
  bool counted = false;
};

struct Trace {
  std::vector<TracedVisit> visits; // in order of the requests, each in order of visiting
  /// `container` is an index into the requests. Outcome::write does not end a traversal: each
  /// instruction that writes outside of the stack is listed once per request, 31 at most.
  std::vector<Incident> incidents;
  std::uint64_t instructions = 0; // executed, the second runs included
};

class Tracer : public Replayer {
public:
  /// Leaves the image as it was, whatever the traversals write. Errors: replayer, cancelled, limit.
  virtual Result<Trace> trace(std::span<const TraceRequest> requests) = 0;
};

/// As start_native(); Options::traversal_budget does not matter, Options::traversal_instructions
/// does. Instructions that the emulator lacks end a traversal with
/// Outcome::unsupported_instruction. Errors: replayer (also when pygc was built without the
/// emulator), cancelled.
Result<std::unique_ptr<Tracer>> start_emulated(const image::AddressSpace& memory,
                                               const Options& options,
                                               const std::function<bool()>& cancelled);

} // namespace pygc::replay
