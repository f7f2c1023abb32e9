// Module instances of faulthandler on every build of the matrix: what each number of them does to
// the file that only faulthandler keeps, and what `pygc runtime` tells of faulthandler's state.
#include "tests/e2e/support/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Core faulthandler_core(const MatrixBuild& build, const std::string& word) {
  return make_core({.build = &build.build, .script = "faulthandler_instances.py", .words = {word}});
}

std::set<std::uint64_t> modules_of(const Core& core) {
  std::set<std::uint64_t> modules;
  for (const std::string& line : core.printed) {
    if (line.starts_with("module ")) {
      modules.insert(to_address(line.substr(7)));
    }
  }
  return modules;
}

/// "NAME ADDRESS FD" of a file
struct File {
  std::uint64_t address = 0;
  int fd = -1;
};

File file_of(const Core& core, const std::string& name) {
  const std::string value = core.printed_value(name);
  const auto space = value.find(' ');
  return {to_address(value.substr(0, space)), std::stoi(value.substr(space + 1))};
}

/// Since 3.12 the state lies in _PyRuntime, before in variables of Modules/faulthandler.c.
bool has_runtime_state(const MatrixBuild& build) {
  return build.number >= PythonVersion{3, 12, 0};
}

void expect_visitor(const MatrixBuild& build, const json& visitor) {
  EXPECT_EQ(visitor.at("name"), "faulthandler");
  EXPECT_EQ(visitor.at("type"), "module");
  EXPECT_EQ(visitor.at("visits"), 1);
  EXPECT_THAT(visitor.at("function").get<std::string>(), HasSubstr("faulthandler_traverse"));
  EXPECT_EQ(visitor.at("slot_name"), has_runtime_state(build)
                                         ? "_PyRuntime.faulthandler.fatal_error.file"
                                         : "fatal_error.file");
  EXPECT_EQ(visitor.at("owner"), has_runtime_state(build) ? "runtime" : "static");
}

/// One reference, visited by each instance.
void expect_finding(const MatrixBuild& build, const Core& core, const json& finding) {
  const auto modules = modules_of(core);
  const auto instances = static_cast<std::int64_t>(modules.size());
  const json& object = finding.at("object");
  EXPECT_EQ(to_address(object.at("address").get<std::string>()), file_of(core, "file").address);
  EXPECT_EQ(object.at("refcount"), 1);
  EXPECT_EQ(finding.at("visits"), instances);
  EXPECT_EQ(finding.at("gc_refs"), 1 - instances);
  std::set<std::uint64_t> visitors;
  std::set<std::string> slots;
  for (const json& visitor : finding.at("visitors")) {
    expect_visitor(build, visitor);
    visitors.insert(to_address(visitor.at("container").get<std::string>()));
    slots.insert(visitor.at("slot").get<std::string>());
  }
  EXPECT_EQ(visitors, modules);
  EXPECT_EQ(slots.size(), 1U);
}

/// The arithmetic of now, and where nothing is wrong yet that of one more and of one less.
void expect_arithmetic(const json& finding, const std::string& word) {
  const auto message = finding.at("message").get<std::string>();
  if (word == "1") {
    EXPECT_THAT(message, HasSubstr("0 - 1 = -1"));
    EXPECT_THAT(message, HasSubstr("garbage"));
  } else if (word == "dead") {
    EXPECT_THAT(message, HasSubstr("takes the object for garbage"));
  } else {
    const int gc_refs = 1 - std::stoi(word);
    const json& victim = finding.at("victims").at(0);
    EXPECT_EQ(victim.at("gc_refs"), gc_refs);
    EXPECT_EQ(victim.at("too_many"), std::stoi(word));
    EXPECT_THAT(message, HasSubstr("refcount is too small"));
    std::uint64_t visits = 0;
    for (const json& visitor : victim.at("visitors")) {
      visits += visitor.at("visits").get<std::uint64_t>();
    }
    EXPECT_EQ(visits, victim.at("visits")) << finding.dump(1);
  }
}

std::string examine(const MatrixBuild& build, const std::string& word) {
  const Core core = faulthandler_core(build, word);
  const Check check = check_alone(core, build.build.pygc_options());
  EXPECT_EQ(check.document.at("complete"), true) << check.document.dump(1);
  if (!build.has_faulthandler_bug()) {
    EXPECT_EQ(check.status, 0) << check.document.dump(1);
    EXPECT_EQ(check.document.at("verdict"), "clean") << check.document.dump(1);
    return "fixed there: clean";
  }
  EXPECT_EQ(check.status, word == "1" ? 0 : 1) << check.document.dump(1);
  EXPECT_EQ(check.document.at("verdict"), word == "1" ? "warnings" : "findings");
  EXPECT_EQ(check.document.at("findings").size(), 1U) << check.document.dump(1);
  EXPECT_EQ(findings_of(check.document, "unowned_visit").size(), 1U) << check.document.dump(1);
  std::string said;
  for (const json& finding : check.document.at("findings")) {
    EXPECT_EQ(finding.at("severity"), word == "1" ? "warning" : "error") << finding.dump(1);
    expect_finding(build, core, finding);
    expect_arithmetic(finding, word);
    EXPECT_EQ(finding.at("known").at("id"), "gh-149590") << finding.dump(1);
    said += (said.empty() ? "" : ", ") + finding.at("severity").get<std::string>() + " " +
            finding.at("kind").get<std::string>() + " gc_refs " + finding.at("gc_refs").dump();
  }
  return said;
}

class MatrixFaulthandler : public MatrixTest {};

TEST_P(MatrixFaulthandler, OneInstanceIsAWarning) {
  examine_build(GetParam(), "one instance",
                [](const MatrixBuild& build) { return examine(build, "1"); });
}

TEST_P(MatrixFaulthandler, OneDeadInstanceIsAnError) {
  examine_build(GetParam(), "one dead instance",
                [](const MatrixBuild& build) { return examine(build, "dead"); });
}

TEST_P(MatrixFaulthandler, TwoAndThreeInstancesAreErrors) {
  examine_build(GetParam(), "two instances",
                [](const MatrixBuild& build) { return examine(build, "2"); });
  examine_build(GetParam(), "three instances",
                [](const MatrixBuild& build) { return examine(build, "3"); });
}

/// Names degrade to a symbol of the dynamic table or to the image, with an offset.
std::string expect_finding_without_symbols(const MatrixBuild& build) {
  if (!build.has_faulthandler_bug()) {
    return {};
  }
  const Core core = faulthandler_core(build, "dead");
  const StrippedCopy stripped(build);
  const Check check = check_alone(core, stripped.pygc_options(), stripped.env());
  EXPECT_EQ(check.status, 1) << check.document.dump(1);
  const auto findings = findings_of(check.document, "unowned_visit");
  EXPECT_EQ(findings.size(), 1U) << check.document.dump(1);
  std::string said;
  for (const json& finding : findings) {
    EXPECT_EQ(finding.at("severity"), "error");
    EXPECT_EQ(finding.at("gc_refs"), 0);
    const json& visitor = finding.at("visitors").at(0);
    EXPECT_EQ(visitor.at("name"), "faulthandler");
    EXPECT_EQ(visitor.at("owner"), has_runtime_state(build) ? "runtime" : "static");
    for (const char* name : {"function", "slot_name"}) {
      EXPECT_THAT(visitor.at(name).get<std::string>(), HasSubstr("+0x"));
      said += (said.empty() ? "" : " visits ") + visitor.at(name).get<std::string>();
    }
  }
  return said;
}

TEST_P(MatrixFaulthandler, FindingsStandWithoutSymbols) {
  examine_build(GetParam(), "one dead instance, stripped", expect_finding_without_symbols);
}

/// What faulthandler_instances.py asked for.
struct Asked {
  bool all_threads = false;
  bool chain = false;
};

const std::map<std::string, Asked>& asked() {
  static const std::map<std::string, Asked> entries = {
      {"fatal_error", {.all_threads = false, .chain = false}},
      {"thread", {.all_threads = true, .chain = false}}, // dumps every thread, always
      {"user_signals[10]", {.all_threads = true, .chain = true}},
      {"user_signals[12]", {.all_threads = false, .chain = false}},
  };
  return entries;
}

std::string expect_state(const MatrixBuild& build) {
  const Core core = faulthandler_core(build, "state");
  std::vector<std::string> words = {"runtime", core.path, "--json"};
  const auto options = build.build.pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  const json document = json::parse(outcome.out);
  EXPECT_EQ(document.at("runtimes").size(), 1U);
  const json& state = document.at("runtimes").at(0).at("faulthandler");
  EXPECT_EQ(state.at("where"), has_runtime_state(build) ? "_PyRuntime.faulthandler" : "static");
  EXPECT_EQ(state.at("address").is_null(), !has_runtime_state(build));
  std::set<std::string> seen;
  for (const json& entry : state.at("entries")) {
    const auto name = entry.at("name").get<std::string>();
    const Asked& expected = asked().at(name);
    const File file = file_of(core, name);
    EXPECT_EQ(entry.at("enabled"), true) << entry.dump(1);
    EXPECT_EQ(to_address(entry.at("file").get<std::string>()), file.address) << entry.dump(1);
    EXPECT_EQ(entry.at("fd"), file.fd) << entry.dump(1);
    EXPECT_EQ(entry.at("all_threads"), expected.all_threads) << entry.dump(1);
    EXPECT_EQ(entry.at("chain"), expected.chain) << entry.dump(1);
    EXPECT_THAT(entry.at("summary").get<std::string>(), HasSubstr("/dev/null"));
    EXPECT_TRUE(seen.insert(name).second);
  }
  EXPECT_EQ(seen.size(), asked().size()) << state.dump(1);
  return std::to_string(seen.size()) + " entries in " + state.at("where").get<std::string>();
}

TEST_P(MatrixFaulthandler, RuntimeTellsTheWholeState) {
  examine_build(GetParam(), "faulthandler's state", expect_state);
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixFaulthandler, testing::ValuesIn(matrix()), name_of_build);

} // namespace
} // namespace pygc::e2e
