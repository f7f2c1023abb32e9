// What the thread that a signal ended was doing to the collector's objects, read off its stack.
#pragma once

#include "common/image/module.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace pygc::cpython {

/// The innermost of the calls that concern the collector, its lists or an object's end.
enum class Deed : std::uint8_t {
  none,
  track,       // PyObject_GC_Track
  untrack,     // PyObject_GC_UnTrack
  unlink,      // PyObject_GC_Del: takes off the list what is still on it
  validate,    // validate_list
  visit,       // a visitor of the collector, called by a traverse function
  deallocate,  // tp_dealloc
  clear,       // tp_clear, of garbage
  finalize,    // tp_finalize, of garbage
  callback,    // of a weak reference to garbage
  check_count, // _Py_NegativeRefcount
  collect,     // anything else of a collection
};

/// "tracking an object", ...; empty for none.
std::string_view deed_text(Deed deed);

/// Addresses are as the frames' variables give them: check them against the heap before use.
/// 0: not known.
struct CrashStack {
  Deed deed = Deed::none;
  std::size_t frame = 0;     // whose deed it is
  std::size_t caller = 0;    // the frame that called for it; frames.size() when there is none
  bool asserted = false;     // by an assertion of the interpreter about the object
  bool under_python = false; // Python code, called by it, lies between it and the signal
  Address object = 0;        // that it is done to
  Address container = 0;     // of a visit: whose traverse function made it
};

/// What is known of a frame beside its function's name.
struct KnownDeed {
  Deed deed = Deed::none;
  Address object = 0;
  Address container = 0;
};
using DeedOfFrame = std::function<KnownDeed(std::size_t frame)>;

/// `known` is asked of frames whose function's name says nothing.
CrashStack read_crash_stack(std::span<const image::Frame> frames, const DeedOfFrame& known = {});

/// "SIGSEGV"; empty for a signal that does not end a process for a defect of its own.
std::string_view fatal_signal_name(int signal);

} // namespace pygc::cpython
