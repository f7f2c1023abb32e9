// A collection in a thread that is not the main one, whose stack ends where an arena begins.
#include "tests/e2e/support/processes.h"

#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

class CollectingThread : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  static void expect_one_list(const std::string& threads) {
    const RunningScript script(
        {.build = GetParam(), .script = "collecting_thread.py", .words = {threads}});
    const Check check = check_process(script.pid());
    EXPECT_EQ(check.status, 0) << check.document.dump(1);
    EXPECT_EQ(check.document.at("verdict"), "clean");
    EXPECT_EQ(check.document.at("collection").at("phase"), "finalize_garbage");
    std::size_t lists = 0;
    for (const auto& list : check.document.at("interpreters").at(0).at("generations")) {
      if (list.at("name") == "stack") {
        ++lists;
        EXPECT_LT(list.at("objects").get<int>(), 100);
      }
    }
    EXPECT_EQ(lists, 1U) << check.document.at("interpreters").dump(1);
  }
};

TEST_P(CollectingThread, OnlyItsOwnListIsOnItsStack) {
  expect_one_list("0");
}

TEST_P(CollectingThread, IsFoundAmongManyThreads) {
  expect_one_list("400");
}

INSTANTIATE_TEST_SUITE_P(Builds, CollectingThread,
                         testing::Values(&release_build(), &debug_build()),
                         [](const auto& of) { return of.param->name; });

} // namespace
} // namespace pygc::e2e
