// `pygc why` on objects that are held in known ways: names, merged paths, holders left out.
#include "tests/e2e/support/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class WhyTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  json why(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {"why", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    all.push_back(core.path);
    const Outcome outcome = run_pygc(all);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return parse_document(outcome.out, outcome);
  }

  /// The addresses of all steps of a path.
  static AddressSet steps_of(const json& path) {
    AddressSet addresses;
    for (const json& step : path.at("steps")) {
      addresses.insert(to_address(step.at("object").at("address").get<std::string>()));
    }
    return addresses;
  }

  std::uint64_t printed(const std::string& name) const {
    return to_address(core.printed_value(name));
  }

  Core core = make_core({.build = GetParam(), .script = "ways.py"});
};

TEST_P(WhyTest, MergesWaysThatAreAlike) {
  const json document = why({"--type", "Token", "--merge", "-n", "20"});
  EXPECT_EQ(document.at("targets"), 55);
  EXPECT_EQ(document.at("unreachable"), 0);
  EXPECT_EQ(document.at("merged"), true);
  EXPECT_EQ(document.at("nested"), 1); // chain.next
  EXPECT_EQ(document.at("more"), false);
  std::map<std::uint64_t, json> by_count;
  for (const json& path : document.at("paths")) {
    by_count[path.at("targets")] = path;
  }
  ASSERT_TRUE(by_count.contains(30)) << document.dump(1);
  EXPECT_TRUE(steps_of(by_count[30]).contains(printed("CACHE")));
  EXPECT_EQ(by_count[30].at("steps").back().at("common"), false);
  EXPECT_EQ(by_count[30].at("steps").back().at("name"), ".token");
  ASSERT_TRUE(by_count.contains(20));
  EXPECT_TRUE(steps_of(by_count[20]).contains(printed("tokens")));
  EXPECT_EQ(by_count[20].at("steps").back().at("name"), "[*]");
  ASSERT_TRUE(by_count.contains(3)); // held by no object
  EXPECT_EQ(by_count[3].at("steps").size(), 1U);
  ASSERT_TRUE(by_count.contains(1)); // `chain`
  EXPECT_EQ(by_count[1].at("steps").back().at("common"), true);
  std::uint64_t shown = 0;
  for (const json& path : document.at("paths")) {
    shown += path.at("targets").get<std::uint64_t>();
  }
  EXPECT_EQ(shown + document.at("nested").get<std::uint64_t>(), 55U);
}

TEST_P(WhyTest, SaysThatThereIsMore) {
  const json document = why({"--type", "Token", "--merge", "-n", "1"});
  EXPECT_EQ(document.at("paths").size(), 1U);
  EXPECT_EQ(document.at("more"), true);
  const Outcome text = run_pygc({"why", "--type", "Token", "--merge", "-n", "1", core.path});
  EXPECT_THAT(text.out, HasSubstr("30 objects by such a way (exact)"));
  EXPECT_THAT(text.out, HasSubstr("there are further ways (-n N)"));
  EXPECT_THAT(text.out, HasSubstr("[*]"));
  EXPECT_THAT(text.out, Not(HasSubstr("20 objects")));
}

TEST_P(WhyTest, FindsTheOtherWays) {
  const std::string both = core.printed_value("both");
  const std::uint64_t first = printed("first");
  const std::uint64_t second = printed("second");
  EXPECT_EQ(why({both, "-n", "100"}).at("excluded"), 0);
  const json one = why({both, "--not", core.printed_value("second"), "-n", "100"});
  EXPECT_EQ(one.at("excluded"), 1);
  ASSERT_FALSE(one.at("paths").empty());
  for (const json& path : one.at("paths")) {
    EXPECT_TRUE(steps_of(path).contains(first));
    EXPECT_FALSE(steps_of(path).contains(second));
  }
  const json none = why({both, "--not", "__main__.first", "--not", "second"});
  EXPECT_EQ(none.at("excluded"), 2);
  EXPECT_EQ(none.at("unreachable"), 0);
  EXPECT_TRUE(none.at("paths").empty()) << none.dump(1);
  const Outcome text = run_pygc({"why", both, "--not", "list", "--not", "dict", core.path});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("nothing else holds it"));
  EXPECT_THAT(text.out, Not(HasSubstr("next full collection")));
  EXPECT_EQ(run_pygc({"why", both, "--not", both, core.path}).status, 2);
}

TEST_P(WhyTest, LeavesOutFramesThatHaveEnded) {
  const json document = why({core.printed_value("left")});
  ASSERT_EQ(document.at("paths").size(), 1U) << document.dump(1);
  for (const json& root : document.at("paths").at(0).at("roots")) {
    EXPECT_NE(root.at("kind"), "frame") << root;
  }
}

TEST_P(WhyTest, SpellsKeysAsPythonDoes) {
  const json document = why({core.printed_value("numbered"), "-n", "1"});
  EXPECT_EQ(document.at("paths").at(0).at("steps").back().at("name"), "[7]");
}

TEST_P(WhyTest, IsTheSameInDebuggers) {
  const json expected = why({"--type", "Token", "--merge", "--not", "store.tokens"});
  EXPECT_EQ(expected.at("excluded"), 1);
  for (const json& document :
       documents_in_debuggers(core, "why --type Token --merge --not store.tokens")) {
    EXPECT_EQ(document, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Builds, WhyTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
