// `pygc leaks` on planted leaks and on heaps without any.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/extension.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class LeaksTest : public testing::TestWithParam<const InterpreterBuild*> {};

json groups_of(const json& document, const std::string& kind, const std::string& type) {
  json found = json::array();
  for (const json& group : document.at("groups")) {
    if (group.at("kind") == kind && group.at("type") == type) {
      found.push_back(group);
    }
  }
  return found;
}

std::uint64_t objects_in(const json& groups) {
  std::uint64_t count = 0;
  for (const json& group : groups) {
    count += group.at("objects").get<std::uint64_t>();
  }
  return count;
}

TEST_P(LeaksTest, AreTheOnesThatWerePlanted) {
  const InterpreterBuild& build = *GetParam();
  const std::string path = "path=" + build_extensions(build, {"leaky"});
  const Core core = make_core({.build = &build, .script = "leaks.py", .words = {path}});
  const Outcome outcome = run_pygc({"leaks", core.path, "--json"});
  EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
  const json document = parse_document(outcome.out, outcome);
  EXPECT_TRUE(document.at("complete")) << document.at("incomplete_because");

  // Memory that was freed may still have the address of one or the other.
  const json lost = groups_of(document, "refleak", "Lost");
  EXPECT_GE(objects_in(lost), 45U) << document.dump(1);
  EXPECT_LE(objects_in(lost), 50U);
  const json held = groups_of(document, "nogc_holder", "Program");
  EXPECT_GE(objects_in(held), 28U) << document.dump(1);
  for (const json& group : held) {
    EXPECT_EQ(group.at("holder_type"), "leaky.Lazy");
    EXPECT_EQ(group.at("holder_offset"), 16);
  }
  for (const json& group : document.at("groups")) {
    EXPECT_THAT(group.at("type").get<std::string>(), testing::AnyOf("Lost", "Program"))
        << group.dump(1);
  }

  const Outcome text = run_pygc({"leaks", core.path, "--type", "Program"});
  EXPECT_THAT(text.out, HasSubstr("held by `leaky.Lazy` at +0x10"));
  EXPECT_THAT(text.out, testing::Not(HasSubstr("Lost")));
  EXPECT_THAT(run_pygc({"leaks", core.path}).out, HasSubstr("no word of memory holds it"));
}

TEST_P(LeaksTest, AreNoneInACleanHeap) {
  for (const std::string script : {"heap.py", "explore.py"}) {
    const Core core = make_core({.build = GetParam(), .script = script});
    const Outcome outcome = run_pygc({"leaks", core.path, "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    EXPECT_EQ(parse_document(outcome.out, outcome).at("groups"), json::array());
  }
}

TEST_P(LeaksTest, AreComparedByDiff) {
  const InterpreterBuild& build = *GetParam();
  const std::string path = "path=" + build_extensions(build, {"leaky"});
  const Core leaking = make_core({.build = &build, .script = "leaks.py", .words = {path}});
  const Core sound = make_core({.build = &build, .script = "grow.py"});
  const auto compared = [](const Core& before, const Core& after) {
    const Outcome outcome =
        run_pygc({"diff", before.path, after.path, "--leaks", "--audit", "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return parse_document(outcome.out, outcome);
  };
  const json grown = compared(sound, leaking);
  std::uint64_t lost = 0;
  for (const json& change : grown.at("leaks")) {
    EXPECT_EQ(change.at("old_objects"), 0) << change.dump();
    if (change.at("leak").get<std::string>().starts_with("refleak: Lost (")) {
      lost += change.at("new_objects").get<std::uint64_t>();
    }
  }
  EXPECT_GE(lost, 45U) << grown.at("leaks").dump(1);
  const json shrunk = compared(leaking, sound);
  EXPECT_EQ(shrunk.at("leaks").size(), grown.at("leaks").size());
  const json same = compared(leaking, leaking);
  EXPECT_EQ(same.at("leaks"), json::array());
  EXPECT_EQ(same.at("audit"), json::array());
}

INSTANTIATE_TEST_SUITE_P(Builds, LeaksTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
