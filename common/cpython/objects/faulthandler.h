// The state of the faulthandler module: who keeps which file for a crash.
#pragma once

#include "common/base/error.h"
#include "common/cpython/runtime.h"
#include "common/image/module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::cpython {

/// One place in which faulthandler keeps a reference to a file.
struct FaulthandlerEntry {
  std::string name;      // "fatal_error", "thread", "user_signals[10]"
  Address file_slot = 0; // address of the PyObject* (counted) reference
  Address file = 0;      // 0: none
  std::int32_t fd = -1;
  bool enabled = false; // thread: a dump is scheduled, as far as a file is kept
  bool all_threads = false;
  bool chain = false; // user signals only
};

struct FaulthandlerState {
  /// "_PyRuntime.faulthandler" (3.12+) or "static" (file statics of Modules/faulthandler.c).
  std::string where;
  Address address = 0;                    // of _PyRuntime.faulthandler; 0 for statics
  std::vector<FaulthandlerEntry> entries; // fatal_error, thread, then user signals that are in use
};

/// Mirrors struct _faulthandler_runtime_state (3.12+, Include/internal/pycore_faulthandler.h) and
/// the statics before it (Modules/faulthandler.c). Errors: no_symbol when the statics cannot be
/// found, memory_*.
Result<FaulthandlerState> read_faulthandler(const image::ProcessImage& image,
                                            const Runtime& runtime);

} // namespace pygc::cpython
