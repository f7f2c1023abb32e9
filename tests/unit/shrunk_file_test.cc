// A mapped file that becomes shorter ends the program with a sentence.
#include "common/commands/shrunk_file.h"
#include "common/commands/status.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::commands {
namespace {

constexpr std::size_t size = 65536;

/// Reads the end of a mapped file that has been cut.
void read_what_was_cut() {
  const int fd = ::memfd_create("core", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, size) != 0) {
    return;
  }
  const void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED || ::ftruncate(fd, 0) != 0) {
    return;
  }
  static_cast<void>(*(static_cast<const volatile char*>(mapped) + size - 1));
}

TEST(ShrunkFileDeathTest, IsASentenceAndAStatus) {
  EXPECT_EXIT(
      {
        end_when_a_file_shrinks();
        read_what_was_cut();
      },
      ::testing::ExitedWithCode(status_error),
      "pygc: a file that was being read has become shorter");
}

TEST(ShrunkFileDeathTest, AnotherBusErrorIsASignal) {
  EXPECT_EXIT(
      {
        end_when_a_file_shrinks();
        ::raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

} // namespace
} // namespace pygc::commands
