// The replayer as a process: what the analysis does when it is missing, killed, stuck or hostile,
// and what it leaves behind.
#include "replay_fixture.h"

#include "common/replay/native_replayer.h"
#include "common/replay/protocol/replayer_protocol.h"
#include "tests/unit/support/process_status.h"

#include <atomic>
#include <csignal>
#include <dirent.h>
#include <string>
#include <sys/wait.h>
#include <thread>

namespace pygc::replay::testing {
namespace {

std::vector<std::string> descriptors_of(const std::string& process) {
  std::vector<std::string> descriptors;
  DIR* directory = ::opendir(("/proc/" + process + "/fd").c_str());
  EXPECT_NE(directory, nullptr);
  if (directory == nullptr) {
    return descriptors;
  }
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') {
      descriptors.emplace_back(entry->d_name);
    }
  }
  ::closedir(directory);
  return descriptors;
}

std::size_t open_descriptors() {
  return descriptors_of("self").size();
}

bool has_children() {
  return ::waitpid(-1, nullptr, WNOHANG) == 0;
}

const Code endless{0xeb, 0xfe};

pid_t pid_of(const Replayer& replayer) {
  return static_cast<const NativeReplayer&>(replayer).pid();
}

TEST(ReplayProcess, MissingExecutable) {
  Image image;
  auto missing = options();
  missing.replayer_path = "/nonexistent/pygc-replayer-native";
  auto replayer = start_native(image.memory(), missing, [] { return false; });
  ASSERT_FALSE(replayer);
  EXPECT_EQ(replayer.error().kind, ErrorKind::replayer);
  EXPECT_NE(replayer.error().reason.find("/nonexistent/pygc-replayer-native"), std::string::npos);
  EXPECT_FALSE(has_children());
}

TEST(ReplayProcess, AnotherProgramInItsPlace) {
  Image image;
  auto wrong = options();
  wrong.replayer_path = "/bin/false";
  auto replayer = start_native(image.memory(), wrong, [] { return false; });
  ASSERT_FALSE(replayer);
  EXPECT_EQ(replayer.error().kind, ErrorKind::replayer);
  EXPECT_FALSE(has_children());
}

TEST(ReplayProcess, LeavesNothingBehind) {
  const std::size_t before = open_descriptors();
  {
    Image image;
    const Address object = image.add_object_with(ret_zero);
    auto replayer = start(image, options());
    ASSERT_TRUE(replayer);
    const std::vector<Address> objects{object};
    const std::vector<std::uint64_t> refcounts{1};
    EXPECT_TRUE(replayer->run({.objects = objects, .refcounts = refcounts}));
    EXPECT_TRUE(has_children());
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(ReplayProcess, IsLockedInBeforeAnythingRuns) {
  Image image;
  const Address object = image.add_object_with(ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  ASSERT_TRUE(replayer->run({.objects = objects, .refcounts = refcounts}));
  const pid_t pid = pid_of(*replayer);
  EXPECT_EQ(tests::status_field(pid, "NoNewPrivs"), "1");
  EXPECT_EQ(tests::status_field(pid, "Seccomp"), "2");
  EXPECT_EQ(descriptors_of(std::to_string(pid)), std::vector<std::string>{"3"});
}

TEST(ReplayProcess, KilledWhileIdle) {
  Image image;
  const Address object = image.add_object_with(ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  ::kill(pid_of(*replayer), SIGKILL);
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::replayer);
  EXPECT_NE(result.error().reason.find("signal 9"), std::string::npos) << result.error().reason;
  EXPECT_FALSE(has_children());
  EXPECT_FALSE(replayer->run({.objects = objects, .refcounts = refcounts}));
}

TEST(ReplayProcess, KilledWhileRunning) {
  Image image;
  const Address object = image.add_object_with(endless);
  auto patient = options();
  patient.traversal_budget = std::chrono::hours(1);
  const std::size_t before = open_descriptors();
  std::atomic<int> polls{0};
  pid_t pid = 0;
  auto replayer = start_native(image.memory(), patient, [&] {
    if (++polls == 8 && pid != 0) {
      ::kill(pid, SIGKILL);
    }
    return false;
  });
  ASSERT_TRUE(replayer);
  pid = pid_of(**replayer);
  polls = 0;
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = (*replayer)->run({.objects = objects, .refcounts = refcounts});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::replayer);
  EXPECT_NE(result.error().reason.find("signal 9"), std::string::npos) << result.error().reason;
  EXPECT_FALSE(has_children());
  replayer->reset();
  EXPECT_EQ(open_descriptors(), before + 1); // the image's own
}

TEST(ReplayProcess, CancelledWhileRunning) {
  Image image;
  const Address object = image.add_object_with(endless);
  auto patient = options();
  patient.traversal_budget = std::chrono::hours(1);
  std::atomic<bool> stop{false};
  auto replayer = start_native(image.memory(), patient, [&] { return stop.load(); });
  ASSERT_TRUE(replayer);
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop = true;
  });
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = (*replayer)->run({.objects = objects, .refcounts = refcounts});
  user.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
  EXPECT_FALSE(has_children());
}

TEST(ReplayProcess, CancelledBeforeTheStart) {
  Image image;
  auto replayer = start_native(image.memory(), options(), [] { return true; });
  ASSERT_FALSE(replayer);
  EXPECT_EQ(replayer.error().kind, ErrorKind::cancelled);
  EXPECT_FALSE(has_children());
}

TEST(ReplayProcess, RegionsInItsOwnPlaceAreLeftOut) {
  Image image;
  const Address object = image.add_object_with(ret_zero);
  image.add_zero_region(protocol::own_start, protocol::own_start + area);
  image.add_zero_region(protocol::own_window + area, protocol::own_window + 2 * area);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{object};
  const std::vector<std::uint64_t> refcounts{1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->traversed, 1u);
  EXPECT_EQ(replayer->failed_regions(), 2u);
}

TEST(ReplayProcess, OverwritingTheReplayerGivesAnErrorAtWorst) {
  Image image;
  // Fills all of the replayer's writable memory from its read-only data on, until something faults:
  // mov start,%rdi; mov $-1,%rax; mov $0x8000000,%ecx; rep stosq
  const Address hostile = image.add_object_with(
      load_rdi(protocol::own_window) +
      Code{0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xb9, 0, 0, 0, 8, 0xf3, 0x48, 0xab} +
      ret_zero);
  const Address good = image.add_object_with(ret_zero);
  auto replayer = start(image, options());
  ASSERT_TRUE(replayer);
  const std::vector<Address> objects{hostile, good, good};
  const std::vector<std::uint64_t> refcounts{1, 1, 1};
  const auto result = replayer->run({.objects = objects, .refcounts = refcounts});
  if (result) {
    ASSERT_EQ(result->gc_refs.size(), 3u);
    for (const auto& incident : result->incidents) {
      EXPECT_LT(incident.container, 3u);
    }
    EXPECT_EQ(result->unknown.size(), 3u);
  } else {
    EXPECT_EQ(result.error().kind, ErrorKind::replayer);
  }
}

} // namespace
} // namespace pygc::replay::testing
