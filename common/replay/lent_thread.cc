#include "common/replay/lent_thread.h"

#include "common/replay/emulated_replayer.h"
#include "common/replay/native_replayer.h"

namespace pygc::replay {

void lend_thread(Replayer& replayer, const LentThread& thread) {
  if (auto* native = dynamic_cast<NativeReplayer*>(&replayer)) {
    native->lend(thread);
  } else if (auto* emulated = dynamic_cast<EmulatedReplayer*>(&replayer)) {
    emulated->lend(thread);
  }
}

} // namespace pygc::replay
