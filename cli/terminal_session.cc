#include "cli/terminal_session.h"

#include "common/base/numbers.h"
#include "common/base/write_all.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pygc::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int signal) {
  if (interrupted != 0) {
    ::_exit(128 + signal);
  }
  interrupted = 1;
  ::alarm(2); // whose action is the default: the end
}

} // namespace

TerminalSession::TerminalSession()
    : terminal_(::isatty(STDERR_FILENO) == 1), shows_progress_(terminal_) {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // A reader that went away is seen as a failed write.
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
  // A file that grows beyond its limit is an error to tell, not an end.
  ::sigaction(SIGXFSZ, &ignore, nullptr);
}

void TerminalSession::output(std::string_view text) {
  clear_line();
  // A reader that has gone away (`pygc gc-refs core | head`) wants no more: no error.
  const int code = write_all(STDOUT_FILENO, text);
  output_ok_ = (code == 0 || code == EPIPE) && output_ok_;
}

void TerminalSession::diagnostics(std::string_view text) {
  clear_line();
  write_all(STDERR_FILENO, text);
}

// The line is shown in place on a terminal, else as one of many.
void TerminalSession::clear_line() {
  if (line_shown_) {
    write_all(STDERR_FILENO, "\r\x1b[K");
    line_shown_ = false;
  }
}

bool TerminalSession::cancelled() {
  if (shows_progress_) {
    if (const auto line = progress_.due(target::Progress::Clock::now())) {
      write_all(STDERR_FILENO, terminal_ ? "\r" + *line + "\x1b[K" : *line + "\n");
      line_shown_ = terminal_;
    }
  }
  return interrupted != 0;
}

Result<Address> TerminalSession::evaluate(std::string_view expression) {
  const auto address = address_in(expression);
  if (!address) {
    return fail(
        ErrorKind::usage, 0,
        fmt::format(
            "'{}' is neither a number (0x...) nor a name such as sys.stderr or app.CACHE['key'][0]",
            expression));
  }
  return *address;
}

unsigned terminal_width() {
  struct winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  if (const char* columns = std::getenv("COLUMNS")) {
    const int width = std::atoi(columns);
    if (width > 0 && width < 10000) {
      return static_cast<unsigned>(width);
    }
  }
  return 80;
}

} // namespace pygc::cli
