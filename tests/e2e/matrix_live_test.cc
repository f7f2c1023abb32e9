// Running processes of every build: alone, in GDB, in LLDB and through gdbserver they give what a
// core of the same moment gives.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/processes.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <iterator>

namespace pygc::e2e {
namespace {

class Matrix : public MatrixTest {};

TEST_P(Matrix, LiveEqualsACore) {
  examine_build(GetParam(), "live", [](const MatrixBuild& it) -> std::string {
    const RunningScript heap({.build = &it.build, .script = "heap.py", .words = {"twice"}});
    const std::string pid = std::to_string(heap.pid());
    const Core core = core_of(heap, it.build);
    const Reading expected = read_core(core);
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
      Commands commands = server.connect("remote");
      const TempDir directory;
      const std::string there = directory.file("there");
      const std::string here = directory.file("here");
      const std::string options = " " + join(it.build.pygc_options());
      if (it.free_threaded) { // looks through all memory, of which the allocator has a gigabyte
        commands.push_back("pygc object sys.modules --json --output " + there + options);
      }
      const Reading remote = read_in_gdb(it.build, commands, {"detach"});
      expect_same(remote, expected);
      EXPECT_EQ(remote.check.at("target").at("kind"), "remote");
      if (it.free_threaded) {
        std::vector<std::string> words = {"object", "sys.modules", core.path,
                                          "--json", "--output",    here};
        std::ranges::copy(it.build.pygc_options(), std::back_inserter(words));
        const Outcome outcome = run_pygc(words);
        nlohmann::json of_remote = parse_document(read_file(there), remote.outcome);
        nlohmann::json of_core = parse_document(read_file(here), outcome);
        EXPECT_LT(of_remote.at("target").at("fetched_bytes"), 200 << 20);
        of_remote.erase("target");
        of_core.erase("target");
        EXPECT_EQ(of_remote, of_core);
      }
    }
    EXPECT_TRUE(runs_freely(heap.pid()));
    return std::to_string(expected.references.size()) + " objects, four ways";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, Matrix, testing::ValuesIn(half_of_the_kinds(Half::first)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
