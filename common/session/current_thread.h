// Whose code the target's traverse functions are taken for.
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/address_space.h"
#include "common/replay/replay.h"
#include "common/target/target.h"

#include <vector>

namespace pygc::session {

struct CurrentThread {
  Address thread_pointer = 0;
  replay::LentWord lent; // its PyThreadState
};

/// The first thread with thread-local storage: the stopped one is the best guess for code that
/// looks at its own thread. Without a GIL one that has its PyThreadState: critical sections need
/// it. A collection has it always; a thread that waits has put it aside, and is given it back.
CurrentThread current_thread(const image::AddressSpace& memory, const cpython::Runtime& runtime,
                             const std::vector<target::Thread>& threads);

} // namespace pygc::session
