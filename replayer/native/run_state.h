// What the loops, the visitors and the signal handlers share. One instance; there is one thread.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/shared/endless_functions.h"

#include <cstdint>

namespace pygc::replayer {

/// What a fault means.
enum class Mode : std::uint8_t {
  idle,    // the replayer is broken: exit
  writing, // our own access to the target's objects: this object cannot be dealt with
  target,  // the target's code: this traversal ends
};

struct RunState {
  volatile Mode mode = Mode::idle;
  /// The object being dealt with; the loop resumes behind it.
  volatile std::uint64_t index = 0;
  /// The caller of a visitor of ours that is running, else 0: a fault in it is the caller's.
  volatile std::uint64_t visitor_caller = 0;

  /// Set when a loop or a handler has ended the object at `index`.
  volatile bool ended = false;
  /// Whether the lists were walked here; what they do not lead to can be judged then.
  bool walked = false;
  /// Of a walk, 0 or the types whose contents are looked at.
  std::uint64_t tuple_type = 0;
  std::uint64_t dict_type = 0;
  replay::protocol::IncidentRecord incident;

  /// Of the traversal under way, in loops that skip functions.
  volatile std::uint64_t function = 0;
  EndlessFunctions endless;

  /// For the timer: what it saw the last time, and how often in a row.
  std::uint64_t seen_index = 0;
  std::uint32_t seen_ticks = 0;

  replay::protocol::Setup setup;
  replay::protocol::Command command;

  /// Visits of the last traversals that led to what may be no live object.
  volatile std::uint64_t suspects = 0;

  volatile std::uint64_t traversed = 0;
  /// Records in the command's buffer, and whether a visit found no room there.
  volatile std::uint64_t records = 0;
  volatile bool records_full = false;
  /// How many there were when the traversal under way began.
  volatile std::uint64_t container_records = 0;
  /// The traversal under way is the second one of its container, which decrements.
  volatile bool counting = false;
};

// NOLINTNEXTLINE(bugprone-dynamic-static-initializers): constinit says that it is not
extern constinit RunState run_state;

/// The array at an offset of the window.
template <class T> T* in_window(std::uint64_t offset) {
  return reinterpret_cast<T*>(replay::protocol::own_window + offset);
}

} // namespace pygc::replayer
