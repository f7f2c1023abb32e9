// `pygc refs` against gc.get_referrers() and gc.get_referents() of the same heap: equal sets.
#include "tests/e2e/support/explore.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RefsTest : public testing::TestWithParam<const InterpreterBuild*> {};

AddressSet others_of(const Core& core, const std::string& option, const std::string& address) {
  const Outcome outcome =
      run_pygc({"refs", core.path, option, address, "--limit", "100000", "--json"});
  const json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_EQ(document.at("basis"), "exact");
  AddressSet found;
  for (const json& reference : document.at("references")) {
    found.insert(to_address(reference.at("other").at("address").get<std::string>()));
  }
  return found;
}

TEST_P(RefsTest, AreWhatTheInterpreterGives) {
  const Core core =
      make_core({.build = GetParam(), .script = "explore.py", .words = {"referrers"}});
  AddressSet tracked;
  for (const std::string& line : split_lines(run_pygc({"gc-refs", core.path}).out)) {
    tracked.insert(to_address(line.substr(0, line.find(' '))));
  }
  for (const std::string name : {"shared", "CACHE", "session", "Session"}) {
    const std::string address = core.printed_value("object_" + name);
    const AddressSet referents = printed_set(core, "referent_" + name);
    ASSERT_FALSE(referents.empty());
    EXPECT_EQ(others_of(core, "--from", address), referents) << name;
    // What the child made after the fork, where an object of the parent's had been, is not in the
    // core.
    AddressSet referrers = printed_set(core, "referrer_" + name);
    std::erase_if(referrers, [&](std::uint64_t each) { return !tracked.contains(each); });
    ASSERT_FALSE(referrers.empty());
    const AddressSet found = others_of(core, "--to", address);
    EXPECT_TRUE(std::ranges::includes(found, referrers)) << name;
  }
}

TEST_P(RefsTest, AreNamed) {
  const Core core =
      make_core({.build = GetParam(), .script = "explore.py", .words = {"referrers"}});
  const Outcome outcome =
      run_pygc({"refs", core.path, "--to", core.printed_value("object_shared")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("list of 1 items"));
  EXPECT_THAT(outcome.out, HasSubstr("['shared']"));
  EXPECT_THAT(outcome.out, HasSubstr("[0]   2 visits"));
  EXPECT_THAT(outcome.out, HasSubstr("(exact)"));
}

TEST_P(RefsTest, RefuseWhatIsNoObject) {
  const Core core =
      make_core({.build = GetParam(), .script = "explore.py", .words = {"referrers"}});
  EXPECT_EQ(run_pygc({"refs", core.path, "--to", "0x10"}).status, 2);
  EXPECT_EQ(run_pygc({"refs", core.path}).status, 2);
}

TEST_P(RefsTest, OfOneObjectAreAllAccountedFor) {
  const Core core =
      make_core({.build = GetParam(), .script = "explore.py", .words = {"referrers"}});
  const Outcome outcome = run_pygc({"object", core.printed_value("local"), core.path, "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  const json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(document.at("object").at("type"), "Session");
  EXPECT_TRUE(document.at("tracked"));
  const json collector = document.at("collector");
  EXPECT_EQ(collector.at("reachable"), true);
  EXPECT_EQ(collector.at("gc_refs"), 1); // the frame's; `me` is a visit
  EXPECT_EQ(collector.at("visits"), 1);
  EXPECT_THAT(document.at("roots"), testing::Contains(testing::ResultOf(
                                        [](const json& root) { return root.at("kind"); }, "frame")))
      << document.dump(1);
  const Outcome text = run_pygc({"object", core.printed_value("local"), core.path});
  EXPECT_THAT(text.out, HasSubstr("2 = 1 visits + 1 others: reachable (exact)"));
}

INSTANTIATE_TEST_SUITE_P(Builds, RefsTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
