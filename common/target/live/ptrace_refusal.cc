#include "common/target/live/ptrace_refusal.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::target {
namespace {

/// What /proc/PID/status says of a process.
struct Status {
  std::string state;
  bool has_memory = false; // of its own: a kernel thread has none
  long tracer = 0;
  long user = -1; // real user id
};

std::optional<long> number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  long value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<Status> status_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  if (!file) {
    return std::nullopt;
  }
  Status status;
  for (std::string line; std::getline(file, line);) {
    const std::string_view text = line;
    const auto colon = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, colon);
    const std::string_view value = text.substr(std::min(colon + 1, text.size()));
    if (name == "State") {
      status.state = value;
    } else if (name == "VmSize") {
      status.has_memory = true;
    } else if (name == "TracerPid") {
      status.tracer = number(value).value_or(0);
    } else if (name == "Uid") {
      status.user = number(value).value_or(-1);
    }
  }
  return status;
}

std::optional<long> yama_scope() {
  std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
  std::string text;
  return std::getline(file, text) ? number(text) : std::nullopt;
}

std::string why(pid_t pid, const Status& status) {
  const std::string process = "process " + std::to_string(pid);
  if (!status.has_memory) {
    return process + " is a thread of the kernel: it has no memory of its own, and no Python";
  }
  if (status.tracer != 0) {
    return process + " is traced already, by process " + std::to_string(status.tracer) +
           "; if that is a debugger, run the command there, else end it";
  }
  const auto own = static_cast<long>(::geteuid());
  if (own != 0 && status.user >= 0 && status.user != own) {
    return process + " belongs to user " + std::to_string(status.user) +
           ", and pygc runs as user " + std::to_string(own) +
           "; run pygc as that user or with sudo";
  }
  const auto scope = yama_scope();
  if (scope && *scope == 3) {
    return "kernel.yama.ptrace_scope is 3: no process of this machine can be traced until it is "
           "started anew with another value";
  }
  if (own != 0 && scope && *scope > 0) {
    return "kernel.yama.ptrace_scope is " + std::to_string(*scope) + ", which lets " +
           (*scope == 1 ? "only a parent" : "only root") + " trace " + process +
           "; run pygc with sudo, or once: sudo sysctl kernel.yama.ptrace_scope=0";
  }
  struct stat directory{};
  const std::string path = "/proc/" + std::to_string(pid);
  if (own != 0 && ::stat(path.c_str(), &directory) == 0 && directory.st_uid == 0) {
    return process + " has made itself unreadable for its own user (not dumpable); run pygc with "
                     "sudo";
  }
  return process +
         " may not be traced from here: the capability SYS_PTRACE is missing, or a seccomp "
         "filter forbids ptrace; in a container, start it with --cap-add=SYS_PTRACE, or "
         "run pygc on its host";
}

} // namespace

Error ptrace_refusal(pid_t pid, int code) {
  const auto status = status_of(pid);
  if (!status || status->state.find('Z') != std::string::npos || code == ESRCH) {
    return {.kind = ErrorKind::not_found,
            .address = 0,
            .reason = status && status->state.find('Z') != std::string::npos
                          ? "process " + std::to_string(pid) + " has ended already"
                          : "there is no process " + std::to_string(pid)};
  }
  if (code == EPERM || code == EACCES) {
    return {.kind = ErrorKind::permission, .address = 0, .reason = why(pid, *status)};
  }
  return {.kind = ErrorKind::io,
          .address = 0,
          .reason = "cannot stop process " + std::to_string(pid) + ": " + std::strerror(code)};
}

} // namespace pygc::target
