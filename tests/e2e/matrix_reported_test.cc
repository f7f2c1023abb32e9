// Situations that people reported, on every build of the matrix: a core, and the process that it
// would be of while it waits. (In the debuggers: reported_debuggers_test.cc.)
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/processes.h"
#include "tests/e2e/support/temp_dir.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// What is told of it in few words, for comparison: addresses differ from run to run.
std::string told_of(const Check& check) {
  std::string told = check.document.at("verdict").get<std::string>();
  for (const json& finding : check.document.at("findings")) {
    const json object = finding.value("object", json());
    told += "; " + finding.at("severity").get<std::string>() + " " +
            finding.at("kind").get<std::string>() + " " +
            (object.is_null() ? std::string("-") : object.at("type").get<std::string>());
  }
  return told;
}

enum class End : std::uint8_t { waits, dies };

/// Of a core; of the process itself, if the case does not end it, the same is told.
Check check_case(const MatrixBuild& build, const std::string& name,
                 const std::vector<std::string>& extensions, End end = End::waits) {
  CoreRequest request{.build = &build.build,
                      .script = "reported.py",
                      .words = {build_extensions(build.build, extensions), name},
                      .kind = CoreKind::kernel};
  Check check = check_alone(make_core(request), build.build.pygc_options());
  if (end == End::waits) {
    const RunningScript running(request);
    const Check live = check_process(running.pid(), build.build.pygc_options());
    EXPECT_EQ(told_of(live), told_of(check)) << live.document.dump(1);
    EXPECT_EQ(live.status, check.status);
  }
  return check;
}

/// The first line of the script that has the text.
std::size_t line_of(const std::string& text) {
  const auto lines = split_lines(read_file(script_path("reported.py")));
  const auto found = std::ranges::find_if(
      lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  return static_cast<std::size_t>(found - lines.begin()) + 1;
}

/// What another command says of the core.
json with_options(const MatrixBuild& build, const Core& core, const std::string& command) {
  std::vector<std::string> words = {command, core.path, "--json"};
  const auto options = build.build.pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  return parse_document(outcome.out, outcome);
}

/// The one finding.
json only_finding(const Check& check, const std::string& kind) {
  const json& findings = check.document.at("findings");
  if (findings.size() != 1 || findings.at(0).at("kind") != kind) {
    throw std::runtime_error("not one " + kind + ": " + check.document.dump(1));
  }
  return findings.at(0);
}

class MatrixReported : public MatrixTest {};

TEST_P(MatrixReported, AnObjectThatARunningFunctionUsesUncounted) {
  examine_build(GetParam(), "undercounted local", [](const MatrixBuild& build) {
    const Check check = check_case(build, "undercount_local", {"undercount_local"});
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "undercounted_local");
    EXPECT_EQ(finding.at("severity"), "error");
    EXPECT_EQ(finding.at("object").at("type"), "Conf");
    EXPECT_EQ(finding.at("gc_refs"), 0);
    const auto message = finding.at("message").get<std::string>();
    EXPECT_THAT(message, HasSubstr("'session' of work() ("));
    EXPECT_THAT(message, HasSubstr("reported.py:" +
                                   std::to_string(line_of("while the local is in use")) + ")"));
    const Check sound = check_case(build, "undercount_local_not", {"undercount_local"});
    EXPECT_EQ(sound.status, 0) << sound.document.dump(1);
    return std::string("'session' of work()");
  });
}

/// Of an extension with debug information.
Check check_described_case(const MatrixBuild& build, const std::string& name,
                           const std::string& extension) {
  const TempDir directory;
  compile_extension(build.build, std::string(PYGC_E2E_DIR) + "/extensions/" + extension + ".c",
                    directory.path().string(), extension, {"-g"});
  return check_alone(make_core({.build = &build.build,
                                .script = "reported.py",
                                .words = {directory.path().string(), name},
                                .kind = CoreKind::kernel}),
                     build.build.pygc_options());
}

TEST_P(MatrixReported, GarbageThatACFunctionUses) {
  examine_build(GetParam(), "used by C", [](const MatrixBuild& build) {
    const json finding = only_finding(
        check_described_case(build, "undercount_code", "undercount_code"), "undercounted_local");
    EXPECT_EQ(finding.at("severity"), "warning");
    EXPECT_EQ(finding.at("object").at("type"), "Conf");
    EXPECT_EQ(finding.at("function"), "hold");
    const Check sound = check_described_case(build, "undercount_code_not", "undercount_code");
    EXPECT_EQ(sound.document.at("verdict"), "clean") << sound.document.dump(1);
    return finding.at("message").get<std::string>();
  });
}

/// Of a dict whose item was released by who had borrowed it.
std::string tell_released_item(const MatrixBuild& build, const std::string& name) {
  const Check check = check_case(build, name, {"overdecref_item"});
  EXPECT_EQ(check.status, 1);
  const json finding = only_finding(check, "dangling_reference");
  EXPECT_EQ(finding.at("visitors").at(0).at("type"), "dict");
  EXPECT_EQ(finding.at("visitors").at(0).at("slot_name"), "['opts']");
  return finding.at("message").get<std::string>();
}

TEST_P(MatrixReported, AReferenceThatWasReleasedWithoutBeingOwned) {
  examine_build(GetParam(), "released item",
                [](const MatrixBuild& build) { return tell_released_item(build, "overdecref"); });
}

TEST_P(MatrixReported, AReleasedObjectThatIsKeptForReuse) {
  examine_build(GetParam(), "released list", [](const MatrixBuild& build) {
    return tell_released_item(build, "overdecref_kept");
  });
}

TEST_P(MatrixReported, AnObjectThatWasTrackedBeforeItsFieldsWereSet) {
  examine_build(GetParam(), "tracked early", [](const MatrixBuild& build) {
    // A debug build looks at what is tracked at once.
    const Check check = check_case(build, "early_track", {"early_track"},
                                   build.build.debug ? End::dies : End::waits);
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "dangling_reference");
    EXPECT_EQ(finding.at("address"), "0xcdcdcdcdcdcdcdcd");
    const json& visitor = finding.at("visitors").at(0);
    EXPECT_EQ(visitor.at("type"), "early_track.Parser");
    EXPECT_EQ(visitor.at("function"), "parser_traverse");
    // Behind the PyObject, which is twice as large without a GIL.
    EXPECT_EQ(visitor.at("slot_name"),
              build.free_threaded ? "+0x20 of the container" : "+0x10 of the container");
    EXPECT_THAT(finding.at("message").get<std::string>(),
                HasSubstr("tracked before the field was set"));
    const json described = only_finding(check_described_case(build, "early_track", "early_track"),
                                        "dangling_reference");
    EXPECT_EQ(described.at("visitors").at(0).at("slot_name"), ".handler of Parser");
    return finding.at("message").get<std::string>();
  });
}

TEST_P(MatrixReported, AnObjectThatWasTrackedTwice) {
  examine_build(GetParam(), "tracked twice", [](const MatrixBuild& build) {
    const Check check = check_case(build, "track_twice", {"track_twice"}, End::dies);
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "crash");
    EXPECT_EQ(finding.at("object").at("type"), "track_twice.Market");
    EXPECT_EQ(finding.at("function"), "m_new");
    EXPECT_THAT(finding.at("message").get<std::string>(), HasSubstr("it is tracked already"));
    return finding.at("message").get<std::string>();
  });
}

TEST_P(MatrixReported, AnObjectThatWasFreedWhileItWasTracked) {
  examine_build(GetParam(), "freed tracked", [](const MatrixBuild& build) -> std::string {
    if (build.free_threaded) {
      return {}; // there is no list on which it could stay
    }
    for (const char* name : {"freed_tracked", "freed_tracked_reuse"}) {
      const Check check = check_case(build, name, {"freed_tracked"});
      EXPECT_EQ(check.status, 1);
      const json finding = only_finding(check, "list_corrupt");
      EXPECT_THAT(finding.at("message").get<std::string>(),
                  HasSubstr("it was freed while it was tracked"));
      EXPECT_GT(check.document.at("objects").at("traversed"), 3000);
    }
    return std::string("told");
  });
}

TEST_P(MatrixReported, AnObjectThatItsDeallocHasNotUntracked) {
  examine_build(GetParam(), "dying tracked", [](const MatrixBuild& build) {
    const Check check = check_case(build, "untrack_dealloc", {"untrack_dealloc"});
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "object_corrupt");
    EXPECT_EQ(finding.at("object").at("type"), "untrack_dealloc.Job");
    EXPECT_EQ(finding.at("function"), "job_dealloc");
    return finding.at("message").get<std::string>();
  });
}

TEST_P(MatrixReported, ATupleThatWasHandedOutUnfinished) {
  examine_build(GetParam(), "half a tuple", [](const MatrixBuild& build) -> std::string {
    const Check check = check_case(build, "half_tuple", {});
    EXPECT_EQ(check.status, 0);
    if (build.number.minor >= 14) { // gathers the items in a list before it makes the tuple
      EXPECT_EQ(check.document.at("verdict"), "clean");
      return "no tuple is seen unfinished there";
    }
    const json finding = only_finding(check, "unfinished_tuple");
    EXPECT_EQ(finding.at("object").at("type"), "tuple");
    return finding.at("message").get<std::string>();
  });
}

/// A debug build dies of it in the collection, which checks the lists; a release build joins the
/// list anew and loses what it leads past.
TEST_P(MatrixReported, AnObjectThatIsLinkedTwice) {
  examine_build(GetParam(), "linked twice", [](const MatrixBuild& build) -> std::string {
    if (build.free_threaded) {
      return {}; // nothing is linked there
    }
    const Check check = check_case(build, "double_track", {"double_track"},
                                   build.build.debug ? End::dies : End::waits);
    EXPECT_EQ(check.status, 1);
    EXPECT_EQ(check.document.at("findings").size(), 1U) << check.document.dump(1);
    const json& finding = check.document.at("findings").at(0);
    const auto message = finding.at("message").get<std::string>();
    if (finding.at("kind") == "lost_object") {
      EXPECT_EQ(finding.at("object").at("type"), "Conf");
      EXPECT_EQ(finding.at("occurrences"), 2);
    } else {
      EXPECT_THAT(message, HasSubstr("2 tracked objects are on no list any more; the first is "
                                     "<Conf object>"));
    }
    return message;
  });
}

TEST_P(MatrixReported, ATraverseFunctionThatCallsNull) {
  examine_build(GetParam(), "null callback", [](const MatrixBuild& build) {
    const Check check = check_case(build, "null_callback", {"null_callback"});
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "traverse_fault");
    EXPECT_EQ(finding.at("object").at("type"), "null_callback.Capsule");
    EXPECT_EQ(finding.at("function"), "capsule_traverse");
    EXPECT_EQ(finding.at("address"), "0x0");
    return finding.at("message").get<std::string>();
  });
}

TEST_P(MatrixReported, AModuleWithoutItsStateYet) {
  examine_build(GetParam(), "null state", [](const MatrixBuild& build) {
    const Check check = check_case(build, "null_state", {"null_state"});
    // Since 3.9 module_traverse leaves a module without its state alone.
    if (build.number >= PythonVersion{3, 9, 0}) {
      EXPECT_EQ(check.document.at("verdict"), "clean") << check.document.dump(1);
      return std::string("clean");
    }
    EXPECT_EQ(check.status, 1);
    const json finding = only_finding(check, "traverse_fault");
    EXPECT_EQ(finding.at("function"), "null_state_traverse");
    EXPECT_EQ(finding.at("object").at("type"), "module");
    return finding.at("message").get<std::string>();
  });
}

TEST_P(MatrixReported, ATypeThatTwoFunctionsVisit) {
  examine_build(GetParam(), "type twice", [](const MatrixBuild& build) {
    const Check check = check_case(build, "type_twice", {"type_twice"});
    // Since 3.9 subtype_traverse leaves the type to a base class that is a heap type.
    if (build.number >= PythonVersion{3, 9, 0}) {
      EXPECT_EQ(check.document.at("verdict"), "clean") << check.document.dump(1);
      return std::string("clean");
    }
    EXPECT_EQ(check.status, 1);
    EXPECT_EQ(check.document.at("findings").size(), 1U) << check.document.dump(1);
    const json finding = check.document.at("findings").at(0);
    EXPECT_EQ(finding.at("object").at("summary"), "class 'Derived'");
    EXPECT_THAT(finding.at("message").get<std::string>(), HasSubstr("base_traverse"));
    return finding.at("message").get<std::string>();
  });
}

/// One violation for all types that share the function.
TEST_P(MatrixReported, TypesThatTheirInstancesDoNotVisit) {
  examine_build(GetParam(), "type leak", [](const MatrixBuild& build) {
    const Core core =
        make_core({.build = &build.build,
                   .script = "reported.py",
                   .words = {build_extensions(build.build, {"type_leak"}), "type_leak"},
                   .kind = CoreKind::kernel});
    EXPECT_EQ(check_alone(core, build.build.pygc_options()).document.at("verdict"), "clean");
    const json document = with_options(build, core, "audit");
    std::vector<json> about;
    for (const json& function : document.at("functions")) {
      if (function.at("function") == "instance_traverse") {
        about.insert(about.end(), function.at("violations").begin(),
                     function.at("violations").end());
      }
    }
    if (build.number < PythonVersion{3, 9, 0}) { // instances do not own their type
      EXPECT_TRUE(about.empty()) << json(about).dump(1);
      return std::string("no rule there");
    }
    EXPECT_EQ(about.size(), 1U) << json(about).dump(1);
    EXPECT_EQ(about.at(0).at("rule"), "type_not_visited");
    return about.at(0).dump();
  });
}

/// _PyDict_MaybeUntrack follows what dict_traverse passes by.
TEST_P(MatrixReported, ADictWhoseValuesLeadNowhere) {
  examine_build(GetParam(), "overwritten ma_values", [](const MatrixBuild& build) {
    const json finding = only_finding(check_case(build, "broken_dict", {}), "object_corrupt");
    EXPECT_EQ(finding.at("severity"), "error");
    EXPECT_EQ(finding.at("object").at("type"), "dict");
    EXPECT_EQ(finding.at("address"), "0x1");
    return finding.at("message").get<std::string>();
  });
}

/// gh-135552: the interpreter dies under a finalizer, or of what it has left.
TEST_P(MatrixReported, AFinalizerThatIsServedADeadObject) {
  examine_build(GetParam(), "stale subclass", [](const MatrixBuild& build) -> std::string {
    const Core core = make_core({.build = &build.build,
                                 .script = "reported.py",
                                 .words = {build_extensions(build.build, {}), "stale_subclass"},
                                 .kind = CoreKind::kernel});
    const Check check = check_alone(core, build.build.pygc_options());
    if (!core.printed.empty()) {
      EXPECT_EQ(check.document.at("verdict"), "clean") << check.document.dump(1);
      return "it survives";
    }
    EXPECT_NE(check.document.at("verdict"), "clean");
    const json& crash = check.document.at("crash");
    const auto doing = crash.at("doing").get<std::string>();
    if (doing == "checking a reference count that fell below zero") { // of what it was served
      EXPECT_EQ(check.status, 1);
    } else {
      EXPECT_THAT(doing, testing::AnyOf("finalizing an object", "deallocating an object"));
      EXPECT_THAT(crash.at("object").at("type").get<std::string>(), testing::EndsWith(".Leaf"));
    }
    return doing + "; " + told_of(check);
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixReported, testing::ValuesIn(matrix()), name_of_build);

} // namespace
} // namespace pygc::e2e
