// A thread that waits has put its PyThreadState aside, and traverse functions may ask for it.
#pragma once

#include "common/replay/replay.h"

namespace pygc::replay {

struct LentThread {
  Address word = 0; // where the thread of Options::thread_pointer looks for it; 0: nothing to lend
  Address state = 0;
};

/// Before the first round or trace: the word holds the state in the replayer's copy of the memory.
/// Where it cannot be written the traverse functions will tell.
void lend_thread(Replayer& replayer, const LentThread& thread);

} // namespace pygc::replay
