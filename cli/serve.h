// pygc as the analysis that a debugger's plugin starts: command after command, for one debugger.
#pragma once

namespace pygc::cli {

/// Serves commands that come through the socket. After one it waits for the next, as long as it
/// keeps a target that the debugger has not moved, and for PYGC_KEEP_SECONDS (default 600) at most:
/// then, or when the debugger is gone, it returns the status of the last command.
int serve(int socket);

} // namespace pygc::cli
