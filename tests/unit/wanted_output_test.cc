// Where an error goes when the words of a command cannot be parsed.
#include "common/commands/wanted_output.h"

#include <gtest/gtest.h>

namespace pygc::commands {
namespace {

TEST(WantedOutput, IsReadFromTheWordsAlone) {
  EXPECT_FALSE(wanted_output({"check", "core"}).json);
  EXPECT_TRUE(wanted_output({"check", "--json", "core"}).json);
  EXPECT_FALSE(wanted_output({"check", "--", "--json"}).json);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"check", "--output", "file"},
        {"check", "-o", "file"},
        {"check", "--output=file"},
        {"check", "-ofile"}}) {
    EXPECT_EQ(wanted_output(words).file, "file");
  }
  EXPECT_EQ(wanted_output({"check", "--output"}).file, "");
  EXPECT_EQ(wanted_output({"check", "--output", "-"}).file, "");
  EXPECT_EQ(wanted_output({}).file, "");
}

TEST(WantedOutput, OfASnapshotIsNoDocument) {
  EXPECT_EQ(wanted_output({"snapshot", "--json", "--output", "core"}).file, "");
  EXPECT_TRUE(wanted_output({"snapshot", "--json", "--output", "core"}).json);
}

} // namespace
} // namespace pygc::commands
