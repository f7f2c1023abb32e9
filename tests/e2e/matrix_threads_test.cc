// Processes of a thousand threads, whose stacks and allocators reserve far more memory than they
// use: the long way of a check, too, takes no more than what is used.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/oracle.h"
#include "tests/e2e/support/processes.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

constexpr int threads = 1000;
/// Of a process that has 1,000 times 8 MB of stack, or 32 MB of the allocator's.
constexpr std::int64_t most_kilobytes = std::int64_t{1} << 20;

class MatrixThreads : public MatrixTest {};

TEST_P(MatrixThreads, AThousandTakeWhatTheyUse) {
  examine_build(GetParam(), "1,000 threads", [](const MatrixBuild& build) -> std::string {
    if (build.build.debug || build.number.minor != 13) {
      return {};
    }
    std::string said;
    for (const char* stack : {"65536", "0"}) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, std::string("stacks of ") + stack);
      const RunningScript script({.build = &build.build,
                                  .script = "many_threads.py",
                                  .words = {std::to_string(threads), stack}});
      const std::vector<std::string> options = build.build.pygc_options();
      const Check quick = check_process(script.pid(), options);
      EXPECT_EQ(quick.document.at("verdict"), "clean") << quick.document.dump(1);
      EXPECT_EQ(quick.document.at("interpreters").at(0).at("generations").size(),
                build.free_threaded ? threads + 3U : 4U);
      // The long way, which a generation asks for.
      const TempDir directory;
      std::vector<std::string> words = {
          "gc-refs", "--pid",    std::to_string(script.pid()), "--generation",
          "2",       "--output", directory.file("references")};
      words.insert(words.end(), options.begin(), options.end());
      const Outcome outcome = run_pygc(words);
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      EXPECT_GT(read_references(directory.file("references")).size(), 40U * threads);
      for (const Outcome* each : {&quick.outcome, &outcome}) {
        EXPECT_LT(each->usage.ru_maxrss, most_kilobytes);
        said += (said.empty() ? "" : ", ") + std::to_string(each->usage.ru_maxrss >> 10) + " MB";
      }
    }
    return said;
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixThreads, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
