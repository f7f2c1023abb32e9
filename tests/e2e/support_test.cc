// The harness itself: what it promises the other tests.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/front_ends.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

TEST(Support, OutputStatusAndSignalArrive) {
  const Outcome ended = run({.words = {"sh", "-c", "echo out; echo err >&2; exit 7"}});
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
  EXPECT_EQ(ended.status, 7);
  EXPECT_THAT(ended.survivors, testing::IsEmpty());
  const Outcome killed = run({.words = {"sh", "-c", "kill -9 $$"}});
  EXPECT_EQ(killed.signal, SIGKILL);
}

TEST(Support, ProcessesLeftBehindAreSeen) {
  const Outcome left = run({.words = {"sh", "-c", "setsid sleep 30 & exit 0"}});
  EXPECT_EQ(left.status, 0);
  EXPECT_THAT(left.survivors, testing::ElementsAre(testing::StartsWith("sleep")));
  for (const std::string& each : left.survivors) {
    ::kill(std::stoi(each.substr(each.find('(') + 1)), SIGKILL);
  }
}

TEST(Support, TimeoutEndsTheProgram) {
  const Outcome ended = run({.words = {"sleep", "30"}, .timeout = std::chrono::seconds(1)});
  EXPECT_TRUE(ended.timed_out);
}

/// As in virtual machines that do not provide debug registers: no error tells of it.
TEST(Support, HardwareWatchpointsCanBeMadeSilent) {
  const Outcome silent = run({.words = {PYGC_WATCHPOINT_PROBE}, .debug_registers = false});
  EXPECT_EQ(silent.status, 0) << silent.err;
  EXPECT_EQ(silent.out, "hardware watchpoints: do not fire on this machine\n");
  // GDB takes the watchpoint all the same, and the program runs to its end.
  const Outcome watched =
      run({.words = {PYGC_GDB, "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex",
                     "break main", "-ex", "run", "-ex", "watch -l *(long*)$rsp", "-ex", "continue",
                     PYGC_WATCHPOINT_PROBE},
           .debug_registers = false});
  EXPECT_THAT(watched.out, testing::HasSubstr("Hardware watchpoint 2"));
  EXPECT_THAT(watched.out, testing::HasSubstr("exited normally")) << watched.err;
}

class CoreMaking : public testing::TestWithParam<CoreKind> {};

TEST_P(CoreMaking, WordsCanBeReadAndPatched) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py", .kind = GetParam()});
  const Outcome version = run({.words = {release_build().executable, "-c",
                                         "import platform; print(platform.python_version())"}});
  EXPECT_EQ(core.printed_value("version") + "\n", version.out);
  const std::uint64_t node = to_address(core.printed_value("node"));
  const Core copy = copy_of(core);
  const CoreFile original(core.path);
  const CoreFile patched(copy.path);
  const std::uint64_t refcount = original.word(node);
  EXPECT_LT(refcount, 10U);
  patched.set_word(node, 4711);
  EXPECT_EQ(patched.word(node), 4711U);
  EXPECT_EQ(original.word(node), refcount);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CoreMaking, testing::Values(CoreKind::kernel, CoreKind::gcore),
                         [](const auto& param) {
                           return param.param == CoreKind::kernel ? "kernel" : "gcore";
                         });

} // namespace
} // namespace pygc::e2e
