#include "common/commands/shrunk_file.h"

#include "common/commands/status.h"

#include <csignal>
#include <string_view>
#include <unistd.h>

namespace pygc::commands {
namespace {

constexpr std::string_view sentence =
    "pygc: a file that was being read has become shorter: the core is still being written or was "
    "replaced, or a file of the target was. Try again with a copy.\n";

// Only what a signal handler may call.
void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  if (info->si_code != BUS_ADRERR) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  for (std::string_view rest = sentence; !rest.empty();) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written <= 0) {
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::_exit(status_error);
}

} // namespace

void end_when_a_file_shrinks() {
  struct sigaction action{};
  action.sa_sigaction = &on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

} // namespace pygc::commands
