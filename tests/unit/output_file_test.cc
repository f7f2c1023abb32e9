// Where output goes, what stays of the file that was there, and what is left when it fails.
#include "common/base/output_file.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pygc {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
protected:
  OutputFileTest() {
    std::string name = (fs::temp_directory_path() / "pygc-output-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~OutputFileTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  static void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  static std::string get(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static Result<void> write(const std::string& path, std::string_view text) {
    auto file = OutputFile::open(path, 0666);
    if (!file) {
      return std::unexpected(file.error());
    }
    if (auto written = file->write(text); !written) {
      return written;
    }
    return file->commit();
  }

  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
  }

  fs::path directory_;
};

TEST_F(OutputFileTest, ANewFileHasItsModeLessTheUmask) {
  const mode_t mask = ::umask(027);
  ASSERT_TRUE(write(path("new"), "text"));
  ::umask(mask);
  EXPECT_EQ(get(path("new")), "text");
  EXPECT_EQ(fs::status(path("new")).permissions(), fs::perms{0640});
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, AnExistingFileKeepsModeAndOwner) {
  put(path("old"), "a longer text than the new one");
  ASSERT_EQ(::chmod(path("old").c_str(), 0604), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::chown(path("old").c_str(), 1234, 1234), 0);
  }
  ASSERT_TRUE(write(path("old"), "new"));
  struct stat status{};
  ASSERT_EQ(::stat(path("old").c_str(), &status), 0);
  EXPECT_EQ(get(path("old")), "new");
  EXPECT_EQ(status.st_mode & 07777U, 0604U);
  EXPECT_EQ(status.st_uid, root ? 1234U : ::geteuid());
}

TEST_F(OutputFileTest, WithoutCommitNothingHappens) {
  put(path("old"), "old");
  for (const char* name : {"old", "new"}) {
    auto file = OutputFile::open(path(name), 0666);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(std::string_view("half")));
  }
  EXPECT_EQ(get(path("old")), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, SymbolicLinksAreFollowed) {
  fs::create_directory(path("d"));
  put(path("d/old"), "old");
  fs::create_symlink("d/old", path("link"));
  fs::create_symlink("link", path("link2"));
  fs::create_symlink("d/new", path("dangling"));
  fs::create_symlink("loop", path("loop"));
  ASSERT_TRUE(write(path("link2"), "through links"));
  ASSERT_TRUE(write(path("dangling"), "made"));
  EXPECT_FALSE(write(path("loop"), "text"));
  EXPECT_TRUE(fs::is_symlink(path("link2")) && fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  EXPECT_EQ(get(path("d/old")), "through links");
  EXPECT_EQ(get(path("d/new")), "made");
}

TEST_F(OutputFileTest, ADeviceStaysADevice) {
  EXPECT_TRUE(write("/dev/null", "text"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const auto full = write("/dev/full", "text");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().reason, "cannot write /dev/full: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(OutputFileTest, APipeGetsHolesAsZeros) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = get(path("pipe")); });
  {
    auto file = OutputFile::open(path("pipe"), 0666);
    EXPECT_TRUE(file && file->write(std::string_view("a")) && file->skip(3) &&
                file->write(std::string_view("b")) && file->commit());
  }
  reader.join();
  EXPECT_EQ(got, std::string("a\0\0\0b", 5));
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(OutputFileTest, ADescriptorIsWrittenBehindWhatItHas) {
  put(path("log"), "before ");
  const int fd = ::open(path("log").c_str(), O_WRONLY | O_APPEND);
  ASSERT_GE(fd, 0);
  EXPECT_TRUE(write("/proc/self/fd/" + std::to_string(fd), "after"));
  EXPECT_TRUE(write("/dev/fd/" + std::to_string(fd), "!"));
  ::close(fd);
  EXPECT_EQ(get(path("log")), "before after!");
}

TEST_F(OutputFileTest, ADirectoryIsRefused) {
  fs::create_directory(path("d"));
  const auto written = write(path("d"), "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, "cannot write " + path("d") + ": Is a directory");
  EXPECT_FALSE(write(path("nowhere/file"), "text"));
}

TEST_F(OutputFileTest, AFileWithSeveralNamesKeepsThem) {
  put(path("old"), "a longer old text");
  fs::create_hard_link(path("old"), path("other"));
  ASSERT_TRUE(write(path("old"), "new"));
  EXPECT_EQ(get(path("other")), "new");
  ASSERT_TRUE(write(path("old"), "a text that is longer than the old one"));
  EXPECT_EQ(get(path("other")), "a text that is longer than the old one");
}

TEST_F(OutputFileTest, TheLimitOfFilesLeavesTheOldOne) {
  put(path("old"), "old");
  put(path("linked"), "old");
  fs::create_hard_link(path("linked"), path("other"));
  auto* const before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{.rlim_cur = 4096, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text(10000, 'x');
  const auto replaced = write(path("old"), text);
  const auto copied = write(path("linked"), text);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, before);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().reason, "cannot write " + path("old") + ": File too large");
  EXPECT_FALSE(copied);
  EXPECT_EQ(get(path("old")), "old");
  EXPECT_EQ(get(path("other")), "old");
  EXPECT_EQ(files(), 3);
}

/// What root may do anyway is tried as somebody else, in a process of its own.
template <class Function> void as_nobody(const Function& function) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0);
    ::_exit(dropped && function() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(OutputFileTest, AWritableFileInAForeignDirectory) {
  put(path("old"), "a longer old text");
  ASSERT_EQ(::chmod(path("old").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0555), 0);
  as_nobody([&] { return write(path("old"), "new").has_value(); });
  as_nobody([&] { return !write(path("fresh"), "new").has_value(); });
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  EXPECT_EQ(get(path("old")), "new");
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFileTest, AFileThatIsNotWritableInAWritableDirectory) {
  put(path("old"), "old");
  ASSERT_EQ(::chmod(path("old").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(directory_.c_str(), 0777), 0);
  as_nobody([&] {
    const auto written = write(path("old"), "new");
    return !written && written.error().kind == ErrorKind::permission;
  });
  EXPECT_EQ(get(path("old")), "old");
}

TEST_F(OutputFileTest, TwoWritersAtOnceLeaveOneWholeFile) {
  const std::string a(300000, 'a');
  const std::string b(200000, 'b');
  std::thread first([&] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(write(path("shared"), a));
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(write(path("shared"), b));
  }
  first.join();
  const std::string got = get(path("shared"));
  EXPECT_TRUE(got == a || got == b);
  EXPECT_EQ(files(), 1);
}

} // namespace
} // namespace pygc
