// Builds without a GIL at moments in which threads are between two stores that belong together: in
// the allocator, in merging and freeing, while others end. Nothing false is told of them; what
// could not be told is a reason of an incomplete check.
#include "tests/e2e/support/live.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

/// Functions that are entered while something is under way, each after so many calls.
struct Moment {
  const char* function;
  int calls;
};

constexpr Moment moments[] = {{"_mi_page_free_collect", 40},
                              {"_mi_segment_page_free", 2},
                              {"_mi_heap_delayed_free_all", 1},
                              {"_Py_brc_queue_object", 3},
                              {"_Py_brc_merge_refcounts", 2},
                              {"_Py_ExplicitMergeRefcount", 30},
                              {"_Py_Dealloc", 500},
                              {"_PyMem_FreeDelayed", 5},
                              {"_PyMem_ProcessDelayed", 2},
                              {"_Py_brc_remove_thread", 2},
                              {"_mi_heap_collect_abandon", 2}};

class MatrixMoments : public MatrixTest {};

TEST_P(MatrixMoments, OfThreadsThatAllocateMergeFreeAndEnd) {
  examine_build(GetParam(), "moments", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    const TempDir directory;
    std::vector<std::string> commands = {"set breakpoint pending off"};
    for (const Moment& moment : moments) {
      commands.insert(commands.end(), {std::string("tbreak ") + moment.function,
                                       "ignore $bpnum " + std::to_string(moment.calls)});
    }
    for (std::size_t i = 0; i < std::size(moments); ++i) {
      commands.insert(commands.end(), {"continue", "frame",
                                       "pygc check --no-trace --json --output " +
                                           directory.file(std::to_string(i)) + " " +
                                           join(build.build.pygc_options())});
    }
    const Outcome outcome = run_live({.debugger = Debugger::gdb,
                                      .build = &build.build,
                                      .script = "moments.py",
                                      .commands = commands});
    std::size_t seen = 0;
    std::size_t complete = 0;
    for (; seen < std::size(moments); ++seen) {
      const std::string text = read_file(directory.file(std::to_string(seen)));
      const json document = json::parse(text, nullptr, false);
      if (!document.is_object() || !document.contains("findings")) {
        break; // the process has ended: which functions are called so often is the threads' affair
      }
      EXPECT_EQ(document.at("findings"), json::array())
          << document.at("findings").dump(1) << outcome.out;
      EXPECT_EQ(document.at("complete"), document.at("incomplete_because").empty());
      complete += document.at("complete") == true ? 1U : 0U;
    }
    EXPECT_GE(seen, 4U) << outcome.out << outcome.err;
    return std::to_string(seen) + " moments, " + std::to_string(complete) + " of them complete";
  });
}

TEST_P(MatrixMoments, HundredsOfThreads) {
  examine_build(GetParam(), "threads", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    const TempDir directory;
    const std::string file = directory.file("check");
    const Outcome outcome = run_live({.debugger = Debugger::gdb,
                                      .build = &build.build,
                                      .script = "moments.py",
                                      .words = {"300"},
                                      .commands = {"pygc check --json --output " + file + " " +
                                                   join(build.build.pygc_options())}});
    const json document = parse_document(read_file(file), outcome);
    EXPECT_EQ(document.at("verdict"), "clean") << document.dump(1);
    EXPECT_GT(document.at("interpreters").at(0).at("generations").size(), 300U);
    return document.at("verdict").get<std::string>();
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixMoments, testing::ValuesIn(one_of_each_kind()),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
