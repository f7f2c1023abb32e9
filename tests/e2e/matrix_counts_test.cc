// Builds without a GIL: reference counts that cannot be, and traverse functions that lock an object
// or take a reference for a while, each told for what it is; what is legal is told of by nobody.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Damage {
  const char* word; // of counts.py
  const char* kind;
  const char* message;
};

constexpr Damage damages[] = {
    {"unmerged", "unmerged_count", "is on no thread's queue"},
    {"ended:unmerged", "unmerged_count", "that has ended"},
    {"owned", "count_corrupt", "is merged, but has an owner"},
    {"unowned", "count_corrupt", "but no owner"},
    {"odd_owner", "count_corrupt", "the address of no thread"},
    {"negative_shared", "count_corrupt", "does not wait to be merged"},
    {"negative", "count_corrupt", "some were given back that nobody had"},
    {"not_deferred", "count_corrupt", "do not have the one that stands for them"},
    {"marked", "count_corrupt", "though none is at work"},
};

/// Of a traverse function.
struct Told {
  std::string function;
  const char* severity;
  int occurrences;
  const char* message;
};

const Told told_traverses[] = {
    {"locks_traverse", "error", 3, "locks <counts.locks object>"},
    // The thread that waits has put its state aside; a critical section needs it.
    {"critical_traverse", "error", 4, "locks <counts.critical object>"},
    {"borrows_traverse", "warning", 2, "takes a reference to list"},
};

class MatrixCounts : public MatrixTest {};

TEST_P(MatrixCounts, ThatCannotBeAreToldOneByOne) {
  examine_build(GetParam(), "damaged counts", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    std::vector<std::string> words = {build_extensions(build.build, {"counts"})};
    for (const Damage& damage : damages) {
      words.emplace_back(damage.word);
    }
    const Core core = make_core({.build = &build.build, .script = "counts.py", .words = words});
    const Check check = check_alone(core, build.build.pygc_options());
    EXPECT_EQ(check.status, 1);
    std::map<std::string, json> findings;
    for (const json& finding : check.document.at("findings")) {
      findings[finding.at("object").at("address")] = finding;
    }
    EXPECT_EQ(findings.size(), std::size(damages)) << check.document.at("findings").dump(1);
    for (const Damage& damage : damages) {
      const auto address = std::stoull(core.printed_value(damage.word));
      std::ostringstream text;
      text << "0x" << std::hex << address;
      const json& finding = findings[text.str()];
      if (finding.is_null()) {
        ADD_FAILURE() << damage.word << " is not told";
        continue;
      }
      EXPECT_EQ(finding.at("kind"), damage.kind) << damage.word;
      EXPECT_EQ(finding.at("severity"), "error");
      EXPECT_THAT(finding.at("message").get<std::string>(), HasSubstr(damage.message));
    }
    return std::to_string(findings.size()) + " told";
  });
}

TEST_P(MatrixCounts, ATraverseFunctionThatLocksOrBorrowsIsTold) {
  examine_build(GetParam(), "locks", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    const Core core =
        make_core({.build = &build.build,
                   .script = "extensions.py",
                   .words = {"path=" + build_extensions(build.build, {"counts"}), "counts.locks*3",
                             "counts.borrows*2", "counts.critical*4"}});
    const Check check = check_alone(core, build.build.pygc_options());
    EXPECT_EQ(check.status, 1);
    const auto findings = findings_of(check.document, "traverse_write");
    EXPECT_EQ(findings.size(), 3U) << check.document.at("findings").dump(1);
    EXPECT_EQ(check.document.at("findings").size(), 3U);
    EXPECT_EQ(check.document.at("objects").at("not_traversed"), 0);
    for (const json& finding : findings) {
      const std::string function = finding.at("function");
      const auto found = std::ranges::find(told_traverses, function, &Told::function);
      if (found == std::end(told_traverses)) {
        ADD_FAILURE() << function;
        continue;
      }
      const Told& told = *found;
      EXPECT_EQ(finding.at("severity"), told.severity);
      EXPECT_EQ(finding.at("occurrences"), told.occurrences) << told.function;
      EXPECT_THAT(finding.at("message").get<std::string>(), HasSubstr(told.message));
    }
    return "told";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixCounts, testing::ValuesIn(one_of_each_kind()),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
