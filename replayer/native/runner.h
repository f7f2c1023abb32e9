// The collector's own steps over the mapped objects.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <cstdint>

namespace pygc::replayer {

/// Carries out run_state.command. The answer says how far it came: a full buffer is no error.
replay::protocol::Reply run_command();

} // namespace pygc::replayer
