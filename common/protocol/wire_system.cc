// The parts of wire_host.h that ask the system: where things lie.
#include "common/base/file_identity.h"
#include "common/protocol/wire_host.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pygc::wire {

std::string library_path(const void* symbol) {
  Dl_info info{};
  if (::dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::array<char, PATH_MAX> path{};
  return ::realpath(info.dli_fname, path.data()) != nullptr ? path.data() : info.dli_fname;
}

std::string find_analysis(const void* symbol) {
  if (const char* given = std::getenv("PYGC_EXECUTABLE"); given != nullptr && *given != '\0') {
    return given;
  }
  // PREFIX/lib/pygc/libpygc-gdb.so, PREFIX/lib/lldb/plugins/libpygc-lldb.so
  std::string directory = library_path(symbol);
  for (int up = 0; up < 4; up++) {
    const auto slash = directory.rfind('/');
    if (slash == std::string::npos) {
      break;
    }
    directory.resize(slash);
    std::string candidate = directory + "/bin/pygc";
    if (up > 0 && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return "pygc";
}

void hand_over(OpenFile core, Launch& launch) {
  launch.hello.kind = TargetKind::core;
  launch.hello.stop_id = "core " + file_identity(core.fd.get()) + " " + core.path;
  launch.hello.core_path = std::move(core.path);
  launch.backing = std::move(core.fd);
}

std::uint32_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void ProgressLine::show(std::string_view line, bool wanted) {
  // Without a person at the keyboard it may be a protocol's channel.
  const bool terminal = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1;
  if (!terminal && !wanted) {
    return;
  }
  const std::string text =
      terminal ? "\r" + std::string(line) + "\x1b[K" : std::string(line) + "\n";
  shown_ = ::write(STDERR_FILENO, text.data(), text.size()) > 0 && terminal;
}

void ProgressLine::clear() {
  constexpr std::string_view text = "\r\x1b[K";
  if (shown_ && ::write(STDERR_FILENO, text.data(), text.size()) > 0) {
    shown_ = false;
  }
}

} // namespace pygc::wire
