// The emulated engine: runs no instruction of the target on the processor, and tells for each visit
// from where the visited pointer was loaded.
#pragma once

#include "common/base/index.h"
#include "common/base/slot_address.h"
#include "common/replay/replay.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace pygc::replay {

/// Functions that one trace may watch.
inline constexpr std::size_t max_watched_functions = 64;

struct TraceRequest {
  Address container = 0;
  Address function = 0; // 0: its tp_traverse
};

/// What a function of the target's gives that has no arguments, where it would give null or end the
/// process because the word that it reads is null. 0: nothing.
struct Answer {
  Address function = 0;
  Address value = 0;
};

/// Who the current thread is while the target's code runs, where there is none (the GIL is
/// released): PyThreadState_GetUnchecked(), and PyInterpreterState_Get(), which since 3.15 reads a
/// word of its own.
struct AttachedThread {
  Answer thread_state;
  Answer interpreter;
};

/// Of a trace: into its requests.
using RequestIndex = Index<struct RequestTag>;

struct TracedVisit {
  RequestIndex request;
  Address object = 0;
  /// From where the pointer was last loaded before the visit, slots of earlier visits and the
  /// traversal's own stack left aside (compilers keep copies there). Not known: it was not loaded
  /// but computed.
  SlotAddress slot;
  /// Each slot that the pointer was loaded from has been another visit's before.
  bool repeated = false;
  /// visit_decref would subtract this visit if the object were in the collected set: it is a GC
  /// object and, from 3.14 on, not a borrowed stack reference. Found by running the traversal a
  /// second time with visit_decref, where a visited reference has tag bits, and reading how often
  /// each object was decremented. If one object is visited more often than decremented, the visits
  /// left out are those whose slot has tag bits, then the last. When visit_decref is unknown: it is
  /// a GC object, no more.
  bool counted = false;
};

/// A slot that a visited pointer was loaded from, too, without a visit for it.
struct OtherSlot {
  RequestIndex request;
  Address object = 0;
  SlotAddress slot;
};

struct Trace {
  std::vector<TracedVisit> visits; // in order of the requests, each in order of visiting
  std::vector<OtherSlot> others;   // in order of the requests
  /// `container` is an index into the requests. Outcome::write, undone_write and call do not
  /// end a traversal. Writes: each instruction that changed memory outside of the stack for good is
  /// listed once per request, and each place that was changed and put back. Calls of watched
  /// functions: `address` is the function, `pc` is behind the call. 31 of all at most.
  std::vector<Incident> incidents;
  std::uint64_t instructions = 0; // executed, the second runs included
};

class Tracer : public Replayer {
public:
  /// Leaves the image as it was, whatever the traversals write. Calls of `watched` functions
  /// (addresses) are listed. Errors: replayer, cancelled, limit.
  virtual Result<Trace> trace(std::span<const TraceRequest> requests,
                              std::span<const Address> watched) = 0;
  Result<Trace> trace(std::span<const TraceRequest> requests) { return trace(requests, {}); }
  /// Runs each request's function, which is its tp_clear, and then lists what its tp_traverse
  /// visits, none left out (`counted` says nothing). Before it, each object that is visited gets a
  /// reference more for each visit, so that tp_clear deallocates none of them. The image is as it
  /// was before the next request. What did not come to its end has an incident and no visits.
  /// Errors: replayer, cancelled, limit.
  virtual Result<Trace> trace_cleared(std::span<const TraceRequest> requests,
                                      const AttachedThread& thread) = 0;
};

class ReplayerProcess;

/// The engine's process before there is an image for it, for it takes its time to come up. Null:
/// it cannot be started; start_emulated() says why.
std::shared_ptr<ReplayerProcess> start_early(const std::string& replayer_path,
                                             const std::function<bool()>& cancelled);

/// As start_native(); Options::traversal_budget does not matter, Options::traversal_instructions
/// does. Instructions that the emulator lacks end a traversal with
/// Outcome::unsupported_instruction. Errors: replayer (also when pygc was built without the
/// emulator), cancelled. `early`: of start_early(), if it was called; it is used up.
Result<std::unique_ptr<Tracer>> start_emulated(const image::AddressSpace& memory,
                                               const Options& options,
                                               const std::function<bool()>& cancelled,
                                               std::shared_ptr<ReplayerProcess> early = nullptr);

} // namespace pygc::replay
