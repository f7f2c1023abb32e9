#include "gdb-plugin/output.h"

#include "common/base/own_descriptors.h"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

namespace pygc::gdb {
namespace {

/// What "-i mi", "--interpreter=mi3" and the like choose; empty when nothing is chosen.
std::string chosen_interpreter() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string word;
  std::string chosen;
  bool value_follows = false;
  while (std::getline(file, word, '\0') && word != "--args") {
    if (value_follows) {
      chosen = word;
      value_follows = false;
      continue;
    }
    const std::size_t hyphens = std::min(word.find_first_not_of('-'), word.size());
    const std::size_t equals = word.find('=');
    const std::string_view name = std::string_view(word).substr(hyphens, equals - hyphens);
    if (hyphens == 0 || hyphens > 2 || name.empty() ||
        !std::string_view("interpreter").starts_with(name)) {
      continue;
    }
    value_follows = equals == std::string::npos;
    chosen = value_follows ? "" : word.substr(equals + 1);
  }
  return chosen;
}

/// GDB's descriptors, but for the first three.
std::vector<int> descriptors() {
  std::vector<int> all = own_descriptors();
  std::erase_if(all, [](int fd) { return fd <= STDERR_FILENO; });
  return all;
}

bool has_another_terminal(dev_t ours) {
  const dev_t controlling = ::makedev(5, 0); // /dev/tty: whichever it is
  return std::ranges::any_of(descriptors(), [&](int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev != ours &&
           status.st_rdev != controlling && ::isatty(fd) == 1;
  });
}

/// Pipes that GDB writes to and has no other end of.
std::vector<ino_t> pipes_to_others() {
  std::vector<ino_t> written;
  std::vector<ino_t> read;
  for (const int fd : descriptors()) {
    struct stat status{};
    if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
      const bool writes = (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
      (writes ? written : read).push_back(status.st_ino);
    }
  }
  std::erase_if(written, [&](ino_t pipe) { return std::ranges::find(read, pipe) != read.end(); });
  return written;
}

/// Those that GDB was started with.
std::vector<ino_t> inherited_pipes;

/// "pipe COMMAND | PROGRAM".
bool writes_to_a_program() {
  return std::ranges::any_of(pipes_to_others(), [](ino_t pipe) {
    return std::ranges::find(inherited_pipes, pipe) == inherited_pipes.end();
  });
}

} // namespace

void note_inherited_pipes() {
  inherited_pipes = pipes_to_others();
}

bool output_is_for_people() {
  struct stat output{};
  if (::isatty(STDOUT_FILENO) != 1 || ::fstat(STDOUT_FILENO, &output) != 0) {
    return false;
  }
  const std::string interpreter = chosen_interpreter();
  const bool console = interpreter.empty() || interpreter == "console" || interpreter == "tui";
  return console && !has_another_terminal(output.st_rdev) && !writes_to_a_program();
}

} // namespace pygc::gdb
