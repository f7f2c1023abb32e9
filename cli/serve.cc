#include "cli/serve.h"

#include "cli/install_paths.h"
#include "common/base/numbers.h"
#include "common/commands/command.h"
#include "common/session/kept_target.h"
#include "common/session/last_list.h"
#include "common/target/core/core_file.h"
#include "common/target/live/served_target.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <optional>
#include <string_view>
#include <unistd.h>

namespace pygc::cli {
namespace {

using std::chrono::seconds;

constexpr seconds usual_patience{600};
constexpr int longest_patience = 1'000'000;

/// How long to wait for another command; 0: there is to be none.
seconds patience() {
  const char* given = std::getenv("PYGC_KEEP_SECONDS");
  if (given == nullptr) {
    return usual_patience;
  }
  const auto number = number_in<int>(given);
  return number && *number >= 0 && *number <= longest_patience ? seconds(*number) : usual_patience;
}

/// The debugger's target: its core file by descriptor, or its process.
Result<std::unique_ptr<target::Target>> served_target(target::ServedSession& session) {
  const wire::Hello& hello = session.hello();
  if (hello.kind == wire::TargetKind::core) {
    return target::open_core(session.take_backing(), hello.core_path);
  }
  return target::open_served_process(session);
}

/// All that a command leaves to the next is in `kept`; null: there will be none.
wire::Done answer(target::ServedSession& session, session::KeptTarget* kept) {
  const wire::Hello& hello = session.hello();
  session::Surroundings surroundings{.session = session,
                                     .open_target = {},
                                     .executable = hello.executable_path,
                                     .sysroot = hello.sysroot,
                                     .replayer_directory = replayer_directory(),
                                     .share_directory = share_directory(),
                                     .terminal = hello.terminal,
                                     .width = hello.columns == 0 ? 80 : hello.columns,
                                     .controls = hello.kind == wire::TargetKind::live ||
                                                 hello.kind == wire::TargetKind::remote,
                                     .actions = {},
                                     .words = hello.words,
                                     .subject = {},
                                     .kept = kept,
                                     .stop_id = hello.stop_id,
                                     .debugger = session::process_identity(::getppid())};
  if (hello.kind != wire::TargetKind::none) {
    surroundings.open_target = [&session] { return served_target(session); };
  }
  const int status = commands::run_words(hello.words, surroundings);
  return {.status = status, .actions = std::move(surroundings.actions), .stays = false};
}

} // namespace

int serve(int socket) {
  // Ctrl-C in the debugger's terminal reaches the whole process group; the debugger decides.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  // A replayer must not inherit it: the plugin would wait for its end.
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  wire::Channel channel{UniqueFd(socket)};
  session::KeptTarget kept;
  const seconds waits = patience();
  for (std::optional<int> status;;) {
    const auto session = target::ServedSession::accept(channel);
    if (!session && status) {
      return *status; // the debugger needs us no more
    }
    if (!session) {
      fmt::print(stderr, "pygc: {}\n", session.error().reason);
      return commands::status_error;
    }
    const bool may_stay = waits > seconds(0) && !(*session)->hello().stop_id.empty();
    wire::Done done = answer(**session, may_stay ? &kept : nullptr);
    status = done.status;
    done.stays =
        may_stay && ((*session)->abandoned() || ((*session)->undisturbed() && kept.holds()));
    (*session)->finish(done);
    if (!done.stays) {
      return *status;
    }
    ::malloc_trim(0); // what the command alone has needed
    if (!channel.wait(waits)) {
      return *status;
    }
  }
}

} // namespace pygc::cli
