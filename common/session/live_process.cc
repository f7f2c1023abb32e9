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

namespace {

/// Whether the two are there and not the same.
bool differ(const std::string& one, const char* other) {
  struct stat first{};
  struct stat second{};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other, &second) == 0 &&
         (first.st_dev != second.st_dev || first.st_ino != second.st_ino);
}

} // namespace

std::string complete_file_options(std::int64_t pid, image::FileOptions& files) {
  const std::string directory = fmt::format("/proc/{}/", pid);
  files.process_directory = fmt::format("/proc/{}", pid);
  // In a container, or with mounts of its own, its paths lead elsewhere than ours.
  if (files.sysroot.empty() &&
      (differ(directory + "root/", "/") || differ(directory + "ns/mnt", "/proc/self/ns/mnt"))) {
    files.sysroot = directory + "root";
    return files.sysroot;
  }
  return {};
}

} // namespace pygc::session
