// Cores taken in the middle of a collection, on every build of the matrix: the state is told,
// objects on lists whose heads are local variables of the collector are found, and nothing false is
// reported.
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/oracle.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

struct Midway {
  std::string word;                // for midway.py
  bool by_debugger = true;         // GDB stops in the collector's own function of that name
  std::vector<std::string> phases; // what the stack may call it
  bool own_lists = false;          // objects are on lists of the collector's stack
  bool with_gil = true;            // of a collector with a GIL, and of that without
  bool free_threaded = true;
};

std::size_t on_stack_lists(const json& document) {
  std::size_t objects = 0;
  for (const json& interpreter : document.at("interpreters")) {
    for (const json& generation : interpreter.at("generations")) {
      objects += generation.at("name") == "stack" ? generation.at("objects").get<std::size_t>() : 0;
    }
  }
  return objects;
}

std::string examine(const MatrixBuild& build, const Midway& midway) {
  const Core core =
      midway.by_debugger
          ? core_in_phase(build.build, midway.word)
          : make_core({.build = &build.build, .script = "midway.py", .words = {midway.word}});
  const Check check = check_alone(core, build.build.pygc_options());
  const json& document = check.document;
  EXPECT_EQ(check.status, 0) << document.dump(1);
  EXPECT_EQ(document.at("findings"), json::array()) << document.at("findings").dump(1);
  const json& collection = document.at("collection");
  EXPECT_EQ(collection.at("in_progress"), true);
  const std::string phase = collection.at("phase").is_string() ? collection.at("phase") : json("");
  EXPECT_NE(std::ranges::find(midway.phases, phase), midway.phases.end()) << collection.dump(1);
  // A generation that optimised code no longer holds is unknown, not wrong.
  EXPECT_TRUE(collection.at("generation").is_null() || collection.at("generation") == "2")
      << collection.dump(1);
  EXPECT_TRUE(collection.at("victim").is_null()) << collection.dump(1);
  if (midway.word == "subtract_refs") {
    EXPECT_TRUE(collection.at("container").is_object()) << collection.dump(1);
  }
  const std::size_t walked = document.at("objects").at("walked");
  EXPECT_GT(walked, 5000U);
  const std::size_t own = on_stack_lists(document);
  if (midway.own_lists && !build.free_threaded) { // there objects stay where they are
    EXPECT_GT(own, 100U) << document.at("interpreters").dump(1);
  }

  // Without symbols there is no phase to tell, and as little to report.
  const StrippedCopy stripped(build);
  const Check bare = check_alone(core, stripped.pygc_options(), stripped.env());
  EXPECT_EQ(bare.document.at("collection").at("in_progress"), true);
  EXPECT_EQ(bare.document.at("objects").at("walked"), walked);
  EXPECT_EQ(bare.document.at("findings"), json::array()) << bare.document.at("findings").dump(1);
  return "phase " + (phase.empty() ? "unknown" : phase) + ", " + std::to_string(walked) +
         " objects, of them " + std::to_string(own) + " on the collector's own lists, " +
         document.at("verdict").get<std::string>();
}

void examine_phase(const MatrixBuild& build, const Midway& midway) {
  examine_build(build, "core in " + midway.word, [&](const MatrixBuild& it) {
    const bool has_it = it.free_threaded ? midway.free_threaded : midway.with_gil;
    return has_it ? examine(it, midway) : std::string();
  });
}

class MatrixMidway : public MatrixTest {};

TEST_P(MatrixMidway, UpdateRefs) {
  examine_phase(GetParam(), {.word = "update_refs", .phases = {"update_refs"}});
}
TEST_P(MatrixMidway, SubtractRefs) {
  examine_phase(GetParam(),
                {.word = "subtract_refs", .phases = {"subtract_refs"}, .free_threaded = false});
}
TEST_P(MatrixMidway, MoveUnreachable) {
  examine_phase(GetParam(), {.word = "move_unreachable",
                             .phases = {"move_unreachable"},
                             .own_lists = true,
                             .free_threaded = false});
}
/// Phases that only free-threaded builds have: while threads are being stopped, the queues merged,
/// and in the passes over all heaps.
TEST_P(MatrixMidway, WithoutAGil) {
  for (const char* phase : {"stop_the_world", "merge_all_queued_objects", "process_delayed_frees",
                            "mark_heap_visitor", "scan_heap_visitor", "start_the_world"}) {
    examine_phase(GetParam(), {.word = phase, .phases = {phase}, .with_gil = false});
  }
}
/// There update_refs traverses: which container, and whether what is stored is right.
TEST_P(MatrixMidway, WithoutAGilAtAContainer) {
  examine_build(GetParam(), "container", [](const MatrixBuild& build) -> std::string {
    if (!build.free_threaded) {
      return {};
    }
    const Core core = core_in_phase(build.build, "update_refs");
    std::vector<std::string> words = {"step", "--core", core.path, "--json"};
    const auto options = build.build.pygc_options();
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = run_pygc(words);
    const json document = parse_document(outcome.out, outcome);
    EXPECT_EQ(document.at("collection").at("phase"), "update_refs");
    const json& state = document.at("subtract_refs");
    EXPECT_EQ(state.at("difference_count"), 0) << state.at("differences").dump(1);
    EXPECT_EQ(state.at("inside"), true);
    EXPECT_EQ(to_address(state.at("container").at("address").get<std::string>()),
              std::stoull(read_file(core.directory->file("watched"))));
    EXPECT_GT(state.at("traversed"), 100);
    return state.at("container").at("summary").get<std::string>();
  });
}
TEST_P(MatrixMidway, WeakReferenceCallback) {
  examine_phase(GetParam(), {.word = "weakref",
                             .by_debugger = false,
                             .phases = {"handle_weakrefs", "handle_weakref_callbacks"},
                             .own_lists = true,
                             .free_threaded = false});
  examine_phase(GetParam(), {.word = "weakref",
                             .by_debugger = false,
                             .phases = {"", "call_weakref_callbacks"},
                             .with_gil = false});
}
TEST_P(MatrixMidway, Finalizer) {
  examine_phase(GetParam(), {.word = "finalizer",
                             .by_debugger = false,
                             .phases = {"finalize_garbage"},
                             .own_lists = true});
}
TEST_P(MatrixMidway, Clear) {
  examine_phase(GetParam(), {.word = "clear",
                             .by_debugger = false,
                             .phases = {"delete_garbage"},
                             .own_lists = true,
                             .free_threaded = false});
  // There code objects are the collector's, so that the callback comes before anything is cleared.
  examine_phase(GetParam(), {.word = "clear",
                             .by_debugger = false,
                             .phases = {"call_weakref_callbacks"},
                             .with_gil = false});
}
TEST_P(MatrixMidway, CallbackAtTheStart) {
  examine_phase(GetParam(),
                {.word = "start", .by_debugger = false, .phases = {"invoke_gc_callback"}});
}
TEST_P(MatrixMidway, CallbackAtTheEnd) {
  examine_phase(GetParam(),
                {.word = "stop", .by_debugger = false, .phases = {"invoke_gc_callback"}});
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixMidway, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
