// Running processes of every build: alone, in GDB, in LLDB and through gdbserver they give what a
// core of the same moment gives.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/processes.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

class Matrix : public MatrixTest {};

TEST_P(Matrix, LiveEqualsACore) {
  examine_build(GetParam(), "live", [](const MatrixBuild& it) -> std::string {
    const RunningScript heap({.build = &it.build, .script = "heap.py", .words = {"twice"}});
    const std::string pid = std::to_string(heap.pid());
    const Reading expected = read_core(core_of(heap, it.build));
    EXPECT_EQ(expected.check.at("complete"), true);
    EXPECT_EQ(findings_of(expected.check, "unowned_visit").empty(), !it.has_faulthandler_bug());
    {
      const testing::ScopedTrace trace(__FILE__, __LINE__, "alone");
      expect_same(read_process(heap.pid(), it.build), expected);
    }
    {
      const testing::ScopedTrace trace(__FILE__, __LINE__, "GDB");
      expect_same(read_in_gdb(it.build, {"attach " + pid}), expected);
    }
    {
      const testing::ScopedTrace trace(__FILE__, __LINE__, "LLDB");
      expect_same(read_in_lldb(it.build, {"process attach --pid " + pid}), expected);
    }
    {
      const testing::ScopedTrace trace(__FILE__, __LINE__, "gdbserver");
      const Gdbserver server({"--once", "--attach", "PORT", pid});
      const Reading remote = read_in_gdb(it.build, server.connect("remote"), {"detach"});
      expect_same(remote, expected);
      EXPECT_EQ(remote.check.at("target").at("kind"), "remote");
    }
    EXPECT_TRUE(runs_freely(heap.pid()));
    return std::to_string(expected.references.size()) + " objects, four ways";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, Matrix, testing::ValuesIn(one_of_each_kind()), name_of_build);

} // namespace
} // namespace pygc::e2e
