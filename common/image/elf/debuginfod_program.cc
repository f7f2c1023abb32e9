// By the program debuginfod-find, for a pygc that is linked statically and so loads no libraries.
#include "common/image/elf/debuginfod.h"

#include "common/base/unique_fd.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pygc::image {
namespace {

/// What the program prints; nothing when it is not there or fails.
std::optional<std::string> printed_by(const char* kind, const std::string& build_id) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "debuginfod-find";
  std::string what = kind;
  std::string id = build_id;
  const std::array<char*, 4> words{program.data(), what.data(), id.data(), nullptr};
  pid_t child = 0;
  const int started =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  to.reset();
  if (started != 0) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t n = ::read(from.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      break;
    }
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return std::nullopt;
  }
  return text;
}

} // namespace

std::optional<std::string> debuginfod_find(const std::string& build_id, DebuginfodKind kind) {
  const char* urls = std::getenv("DEBUGINFOD_URLS");
  if (urls == nullptr || *urls == '\0') {
    return std::nullopt;
  }
  auto path = printed_by(kind == DebuginfodKind::executable ? "executable" : "debuginfo", build_id);
  while (path && path->ends_with('\n')) {
    path->pop_back();
  }
  return path && !path->empty() ? path : std::nullopt;
}

} // namespace pygc::image
