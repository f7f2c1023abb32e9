// Runs the target's own traverse functions on the target's own memory, in a sandboxed throw-away
// process. Knows the collector's arithmetic (update_refs, subtract_refs), no type of CPython.
#pragma once

#include "common/base/error.h"
#include "common/image/address_space.h"
#include "common/image/module.h"
#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pygc::replay {

using protocol::ObjectShape;

/// A word of the target's that the replayers fill in their copy of the memory before any code runs.
struct LentWord {
  Address at = 0; // 0: none; where it cannot be written the traverse functions will tell
  std::uint64_t value = 0;
};

struct Options {
  std::string replayer_path;  // the executable
  Address thread_pointer = 0; // the TLS base target code runs with; 0: none
  /// A thread that waits has put its PyThreadState aside, and traverse functions may ask for it:
  /// where the thread of thread_pointer looks for that.
  LentWord thread_state;
  Address visit_decref = 0; // the target's own; 0: unknown, a visitor of ours is passed
  ObjectShape shape;
  std::vector<image::Range> idle; // memory that is not in use; ascending
  /// By which the target's code gives up, the first max_fatal_functions: their breakpoints end a
  /// traversal with Outcome::assertion.
  std::vector<Address> fatal_functions;
  std::chrono::milliseconds traversal_budget{200}; // one tp_traverse call may take this long
  /// All that the replayer may use, whatever it says of its progress. 0: by the size of the memory.
  std::chrono::milliseconds processor_time{0};
  /// Emulated engine: what a traversal may execute without a visit; 32 times as much altogether.
  std::uint64_t traversal_instructions = 4'000'000;
};

/// One collection to replay: update_refs over `objects`, then tp_traverse of those in
/// [first, first + count), in order.
struct Round {
  std::span<const Address> objects;         // PyObject addresses, each GC-headed and mapped
  std::span<const std::uint64_t> refcounts; // what update_refs copies, one an object
  std::size_t first = 0;
  std::size_t count = SIZE_MAX; // clipped to objects.size()
  /// Objects (indices into `objects`) whose every decrement is attributed to its container.
  std::span<const std::uint32_t> watched{};
  /// Objects outside the round whose COLLECTING bit may be set, because a collection was under way:
  /// cleared first, so that visits to them do not count.
  std::span<const Address> clear_collecting{};
};

using protocol::Outcome;

/// False for what tracing lists besides.
constexpr bool ends_traversal(Outcome outcome) {
  return outcome != Outcome::write && outcome != Outcome::call && outcome != Outcome::undone_write;
}

struct Incident {
  std::uint32_t container = 0; // index into Round::objects
  Outcome outcome = Outcome::fault;
  Address pc = 0;
  Address address = 0;     // faulting or written address
  std::int64_t number = 0; // system call number, or signal
  /// Of the fatal function at `address`, called from `pc`.
  std::array<std::uint64_t, protocol::kept_arguments> arguments{};
};

struct Decrement {
  std::uint32_t container = 0; // index into Round::objects
  std::uint32_t watched = 0;   // index into Round::objects
  std::uint32_t visits = 0;
};

struct RoundResult {
  std::vector<std::int64_t> gc_refs; // one an object, after the traversals
  /// Indices of objects whose gc_refs cannot be told (head not writable, overwritten by the
  /// target's code, refcount beyond reason); gc_refs has the refcount there. Ascending.
  std::vector<std::uint32_t> unknown;
  std::uint64_t traversed = 0; // traversals that completed
  std::uint64_t visits = 0;    // decrements of collected objects
  std::vector<Incident> incidents;
  std::vector<Decrement> decrements; // for watched objects only, in order of traversal
  double seconds = 0;                // update_refs, traversals and reading gc_refs; without mapping
};

struct Visit {
  std::uint32_t container = 0; // index into the containers given
  Address object = 0;          // what was passed to the visitor
};

/// A visit of an object of the round that visit_decref counts: indices into the round's objects.
struct Edge {
  std::uint32_t container = 0;
  std::uint32_t object = 0;
};

/// Of one stream of edges.
struct EdgesResult {
  std::uint64_t traversed = 0; // traversals that completed
  /// Indices of objects whose visits may be missing: their heads could not be written, or were
  /// overwritten by the target's code. Ascending.
  std::vector<std::uint32_t> unknown;
  std::vector<Incident> incidents;
};

/// Objects that one round may watch.
inline constexpr std::size_t max_watched = 256;
/// Visits that one call of visits() may list.
inline constexpr std::size_t max_visits = std::size_t{1} << 26;

/// A replayer process with the image mapped. Not thread-safe, and it ends with the thread that
/// started it. After any error the process is gone and further calls fail.
class Replayer {
public:
  Replayer() = default;
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;
  virtual ~Replayer() = default;

  /// Errors: replayer (it died; says how), cancelled, limit.
  virtual Result<RoundResult> run(const Round& round) = 0;
  /// From the next round on: the visitor in place of Options::visit_decref.
  virtual void use_visitor(Address visit_decref) { static_cast<void>(visit_decref); }
  /// Every visit of the containers' traverse functions with a visitor of ours (3.14+: borrowed
  /// stack references too). `function` replaces tp_traverse when not 0, e.g. an m_traverse.
  virtual Result<std::vector<Visit>> visits(std::span<const Address> containers, Address function,
                                            std::vector<Incident>* incidents) = 0;
  /// Hands each visit between the objects that visit_decref would count to `take`, piece by piece:
  /// the containers in the order of `objects`. No borrowed stack reference is among them as long as
  /// visit_decref is known. `clear_collecting` as for Round. Of a traversal that does not end
  /// (Outcome::timeout) none is handed over. Errors: replayer, cancelled, limit, those of `take`.
  virtual Result<EdgesResult>
  edges(std::span<const Address> objects, std::span<const Address> clear_collecting,
        const std::function<Result<void>(std::span<const Edge>)>& take) = 0;
  /// Regions of the image that could not be mapped, for lack of resources or because the replayer
  /// itself lies there. Traversals that need them end in an incident.
  virtual std::uint64_t failed_regions() const = 0;
};

/// Starts the native replayer, which maps the image at its own addresses, copy on write. Returns
/// early: reading large memory goes on while the caller does other things, until the first run().
/// `memory` must stay: what of it is paged is brought as the traversals touch it.
/// `cancelled` is polled at least ten times a second while waiting.
/// Errors: replayer (executable missing, address clash, sandbox not available), cancelled.
Result<std::unique_ptr<Replayer>> start_native(const image::AddressSpace& memory,
                                               const Options& options,
                                               const std::function<bool()>& cancelled);

} // namespace pygc::replay
