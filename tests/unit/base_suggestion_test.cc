// "did you mean".
#include "common/base/suggestion.h"

#include <gtest/gtest.h>

namespace pygc {
namespace {

const std::vector<std::string> words{"check",  "gc-refs", "generations",
                                     "--json", "--deep",  "--pid"};

TEST(Suggestion, FindsTheNearestWord) {
  EXPECT_EQ(nearest("chekc", words), "check");
  EXPECT_EQ(nearest("gcrefs", words), "gc-refs");
  EXPECT_EQ(nearest("gen", words), "generations");
  EXPECT_EQ(nearest("--jsno", words), "--json");
  EXPECT_EQ(nearest("--pdi", words), "--pid");
}

TEST(Suggestion, HasNoneWhereNothingIsNear) {
  for (const char* word : {"", "x", "-", "--", "-x", "zebra", "--quux", "core.1234"}) {
    EXPECT_EQ(nearest(word, words), "") << word;
  }
  EXPECT_EQ(nearest(std::string(100000, 'c'), words), "");
  EXPECT_EQ(did_you_mean("zebra", words), "");
}

} // namespace
} // namespace pygc
