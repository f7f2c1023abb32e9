// `pygc step` on every build of the matrix, with symbols and without.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using Json = nlohmann::json;

class MatrixStep : public MatrixTest {};

/// The same containers in the same order and the same gc_refs as an independent script reads.
TEST_P(MatrixStep, WalksLikeAnIndependentScript) {
  examine_build(GetParam(), "walk", [](const MatrixBuild& build) -> std::string {
    if (build.free_threaded) {
      return {};
    }
    const Walk walk = walk_collection(Debugger::gdb, build.build, build.build.pygc_options());
    return std::to_string(expect_same_walk(walk)) + " stops compared";
  });
}

/// A stripped interpreter, whose loop of subtract_refs is found by its code.
TEST_P(MatrixStep, WalksWithoutSymbols) {
  examine_build(GetParam(), "walk, stripped", [](const MatrixBuild& build) -> std::string {
    if (build.build.debug || build.free_threaded) {
      return {};
    }
    const StrippedCopy stripped(build);
    std::string said;
    for (const Debugger debugger : {Debugger::gdb, Debugger::lldb}) {
      const Walk walk =
          walk_collection(debugger, build.build, stripped.pygc_options(), stripped.env());
      said += std::string(said.empty() ? "" : ", ") + debugger_name(debugger) + " " +
              std::to_string(expect_same_walk(walk)) + " stops compared";
    }
    return said;
  });
}

/// By hardware watchpoints and by instruction breakpoints. In LLDB too:
/// Step.ReachesTheSamePlaces...
TEST_P(MatrixStep, ReachesTheSamePlacesBothWaysWithoutSymbols) {
  examine_build(GetParam(), "both ways, stripped", [](const MatrixBuild& build) -> std::string {
    if (build.build.debug || build.free_threaded) {
      return {};
    }
    const StrippedCopy stripped(build);
    return std::to_string(expect_same_places(Debugger::gdb, build.build, stripped.pygc_options(),
                                             stripped.env())) +
           " places compared";
  });
}

/// What the double import of faulthandler comes to, where it does, without symbols.
TEST_P(MatrixStep, StopsAtTheVisitThatMakesGcRefsNegative) {
  examine_build(GetParam(), "until-negative", [](const MatrixBuild& build) -> std::string {
    const StrippedCopy stripped(build);
    const bool with_symbols = build.build.debug || build.free_threaded;
    const TempDir directory;
    const std::string file = directory.file("there.json");
    const std::string check = directory.file("check.json");
    const Outcome outcome = run_live(
        {.debugger = Debugger::gdb,
         .build = &build.build,
         .script = "step_heap.py",
         .words = {"twice", "generation=2"},
         .commands = {"pygc check --no-trace --json --output " + check + " " +
                          join(build.build.pygc_options()),
                      "pygc step until-negative --json --output " + file + " " +
                          join(with_symbols ? build.build.pygc_options() : stripped.pygc_options()),
                      "info breakpoints", "continue"},
         .env = stripped.env()});
    const std::string said = outcome.out + outcome.err;
    EXPECT_THAT(said, testing::HasSubstr("No breakpoints"));
    const Json there = parse_document(read_file(file), outcome);
    EXPECT_EQ(there.at("reached"), build.has_faulthandler_bug()) << said;
    if (!build.has_faulthandler_bug()) {
      EXPECT_THAT(said, testing::HasSubstr("survived"));
      return "nothing becomes negative";
    }
    const Json& state = there.at("subtract_refs");
    EXPECT_EQ(state.at("difference_count"), 0) << state.at("differences");
    // The last of those that visit the file.
    const auto findings =
        findings_of(parse_document(read_file(check), outcome), "negative_gc_refs");
    if (findings.size() != 1) {
      throw std::runtime_error("pygc check finds " + std::to_string(findings.size()) + " victims");
    }
    std::vector<std::string> visitors;
    for (const Json& visitor : findings.front().at("visitors")) {
      visitors.push_back(visitor.at("container"));
    }
    EXPECT_EQ(state.at("container").at("address"), visitors.back()) << join(visitors);
    // Where visit_decref is inlined the process has stopped behind the decrement.
    const bool made = !state.at("last_visit").is_null() && state.at("last_visit").at("gc_refs") < 0;
    const Json& visit = state.at(made ? "last_visit" : "next_visit");
    EXPECT_EQ(visit.at("gc_refs"), -1) << state;
    EXPECT_EQ(visit.at("address"), findings.front().at("object").at("address"));
    EXPECT_THAT(said, testing::HasSubstr(build.build.debug ? "refcount is too small" : "survived"));
    return std::string(made ? "behind" : "before") + " the visit by " +
           state.at("container").at("summary").get<std::string>();
  });
}

/// Without a GIL update_refs traverses: from place to place, with what is stored compared at each.
TEST_P(MatrixStep, FollowsUpdateRefs) {
  examine_build(GetParam(), "update_refs", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    const TempDir directory;
    const std::vector<std::string> ways{"arm", "next", "next 50", "visit", "visit 3", "next 7"};
    for (const Debugger debugger : {Debugger::gdb, Debugger::lldb}) {
      std::vector<std::string> commands;
      commands.reserve(ways.size());
      for (std::size_t i = 0; i < ways.size(); ++i) {
        commands.push_back("pygc step " + ways[i] + " --json --output " +
                           directory.file(std::to_string(i) + ".json") + " " +
                           join(build.build.pygc_options()));
      }
      const Outcome outcome = run_live({.debugger = debugger,
                                        .build = &build.build,
                                        .script = "step_heap.py",
                                        .words = {"generation=2"},
                                        .commands = commands});
      std::int64_t last = -1;
      for (std::size_t i = 0; i < ways.size(); ++i) {
        const Json there =
            parse_document(read_file(directory.file(std::to_string(i) + ".json")), outcome);
        EXPECT_EQ(there.at("reached"), true) << ways[i] << "\n" << outcome.out << outcome.err;
        EXPECT_EQ(there.at("collection").at("phase"), "update_refs");
        const Json& state = there.at("subtract_refs");
        EXPECT_EQ(state.at("difference_count"), 0) << state.at("differences").dump(1);
        const std::int64_t traversed = state.at("traversed");
        EXPECT_TRUE(ways[i].starts_with("visit") ? traversed >= last : traversed > last)
            << ways[i] << ": " << traversed << " after " << last;
        last = traversed;
      }
    }
    return std::to_string(2 * ways.size()) + " places";
  });
}

/// Where the places are not found, each way says so, and the process stays where it is.
TEST_P(MatrixStep, SaysWhyItCannotWalkWithoutSymbols) {
  examine_build(GetParam(), "refused, stripped", [](const MatrixBuild& build) -> std::string {
    if (build.build.debug || !build.free_threaded) {
      return {};
    }
    const StrippedCopy stripped(build);
    const std::vector<std::string> ways{"arm", "next", "visit", "until-negative"};
    std::vector<std::string> commands;
    commands.reserve(ways.size());
    for (const std::string& way : ways) {
      commands.push_back("pygc step " + way + " " + join(stripped.pygc_options()));
    }
    for (const Debugger debugger : {Debugger::gdb, Debugger::lldb}) {
      const Outcome outcome = run_live({.debugger = debugger,
                                        .build = &build.build,
                                        .script = "step_heap.py",
                                        .words = {"generation=2"},
                                        .commands = commands,
                                        .env = stripped.env()});
      const std::string said = outcome.out + outcome.err;
      std::size_t refusals = 0;
      for (std::size_t at = 0; (at = said.find("no symbol of visit_decref", at)) != said.npos;
           ++at) {
        ++refusals;
      }
      EXPECT_EQ(refusals, ways.size()) << said;
    }
    return std::to_string(2 * ways.size()) + " refusals";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixStep, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
