#include "common/session/live_process.h"

#include "common/base/numbers.h"
#include "common/report/kit/text.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace pygc::session {

std::string standstill(const target::Snapshot& snapshot) {
  std::string text = fmt::format("pygc: process {} stood still for {:.4f} s", snapshot.pid,
                                 snapshot.stopped_seconds);
  if (snapshot.unreadable != 0) {
    text += fmt::format("; {} bytes of it cannot be read and count as zeros",
                        grouped(snapshot.unreadable));
  }
  return text + "\n";
}

Result<std::unique_ptr<target::Target>> open_live_process(std::int64_t pid,
                                                          target::Session& session) {
  auto snapshot = target::take_snapshot(pid, [&session] { return session.cancelled(); });
  if (!snapshot) {
    return std::unexpected(snapshot.error());
  }
  session.diagnostics(standstill(*snapshot));
  return target::open_snapshot(std::move(*snapshot));
}

void complete_file_options(std::int64_t pid, const std::string& executable_path,
                           image::FileOptions& files) {
  const std::string directory = fmt::format("/proc/{}/", pid);
  // In a container its paths lead elsewhere than ours.
  struct stat its_root{};
  struct stat our_root{};
  const std::string root = directory + "root/";
  if (files.sysroot.empty() && ::stat(root.c_str(), &its_root) == 0 &&
      ::stat("/", &our_root) == 0 &&
      (its_root.st_dev != our_root.st_dev || its_root.st_ino != our_root.st_ino)) {
    files.sysroot = root;
  }
  // Replaced by another one since it was started, it is still there for the process.
  if (files.executable.empty() && executable_path.ends_with(" (deleted)")) {
    files.executable = directory + "exe";
  }
}

} // namespace pygc::session
