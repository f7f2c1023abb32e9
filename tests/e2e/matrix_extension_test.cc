// Extensions whose traverse functions are wrong, or right, in one way each: what `pygc check` and
// `pygc audit` say of every one, on every build of the matrix.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"
#include "tests/e2e/support/wrong_cases.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <tuple>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Addresses that the script printed as "NAME.PART", one a line.
std::set<std::uint64_t> printed(const Core& core, const std::string& name,
                                const std::string& part) {
  const std::string start = name + "." + part + " ";
  std::set<std::uint64_t> addresses;
  for (const std::string& line : core.printed) {
    if (line.starts_with(start)) {
      addresses.insert(to_address(line.substr(start.size())));
    }
  }
  EXPECT_FALSE(addresses.empty()) << start;
  return addresses;
}

std::uint64_t address_in(const json& it, const char* key) {
  return to_address(it.at(key).get<std::string>());
}

Core extension_core(const InterpreterBuild& build, const std::vector<WrongCase>& cases) {
  std::vector<std::string> words = {
      "path=" +
      build_extensions(build, {"ownership", "conduct", "module_static", "module_null_state"})};
  for (const WrongCase& it : cases) {
    words.push_back(it.count.empty() ? it.name : it.name + "*" + it.count);
  }
  return make_core({.build = &build, .script = "extensions.py", .words = words});
}

/// The visits that the function makes of the object, with their slot and its owner.
void expect_visitors(const WrongCase& it, const Core& core, const json& finding) {
  const auto instances = printed(core, it.name, "instance");
  const auto slots = printed(core, it.name, "slot");
  std::set<std::uint64_t> seen;
  for (const json& visitor : finding.at("visitors")) {
    if (visitor.at("function").get<std::string>().find(function_of(it)) == std::string::npos) {
      // Who owns the object rightly is listed for a negative gc_refs only.
      EXPECT_EQ(finding.at("kind"), "negative_gc_refs") << finding.dump(1);
      continue;
    }
    seen.insert(address_in(visitor, "container"));
    EXPECT_TRUE(slots.contains(address_in(visitor, "slot"))) << visitor.dump(1);
    EXPECT_EQ(visitor.at("owner"), it.owner);
    EXPECT_THAT(visitor.at("slot_name").get<std::string>(), HasSubstr(it.slot_name));
    EXPECT_EQ(visitor.at("type"), is_module(it) ? "module" : it.name);
  }
  EXPECT_EQ(seen, instances) << finding.dump(1);
}

/// What a function did at a place in itself or in what it called.
void expect_conduct(const WrongCase& it, const Core& core, const json& finding) {
  EXPECT_THAT(finding.at("function").get<std::string>(), HasSubstr(function_of(it)));
  EXPECT_GT(address_in(finding, "pc"), 0U);
  if (it.name.ends_with("null_state")) {
    EXPECT_EQ(address_in(finding, "address"), sizeof(void*)); // the second member of a NULL state
  } else if (it.name == "conduct.writes" || it.name == "conduct.allocates") {
    EXPECT_EQ(printed(core, it.name, "slot").count(address_in(finding, "address")), 1U);
  } else if (it.name == "conduct.increments") {
    const std::uint64_t at = address_in(finding, "address");
    const std::uint64_t offset = at % 16; // of ob_refcnt, or of ob_ref_local
    EXPECT_THAT(offset, testing::AnyOf(0U, 12U));
    EXPECT_EQ(printed(core, it.name, "object").count(at - offset), 1U);
  } else if (it.name == "conduct.object_asserts") {
    EXPECT_EQ(printed(core, it.name, "object").count(address_in(finding, "address")), 1U);
    EXPECT_THAT(finding.at("message").get<std::string>(),
                HasSubstr("It is about list of 0 items at"));
  }
}

/// The findings of one kind about one case; those that are as expected leave the list.
std::size_t take_findings(const WrongCase& it, const Core& core, const ExpectedFinding& expected,
                          std::vector<json>& findings) {
  const auto subjects =
      printed(core, it.name, is_about_visited(expected.kind) ? "object" : "instance");
  return std::erase_if(findings, [&](const json& finding) {
    if (finding.at("kind") != expected.kind ||
        !subjects.contains(address_in(finding.at("object"), "address"))) {
      return false;
    }
    EXPECT_EQ(finding.at("severity"), expected.severity) << finding.dump(1);
    EXPECT_FALSE(finding.at("message").get<std::string>().empty());
    EXPECT_THAT(finding.at("message").get<std::string>(), HasSubstr(it.message));
    if (is_about_visited(expected.kind)) {
      expect_visitors(it, core, finding);
    } else {
      expect_conduct(it, core, finding);
    }
    return true;
  });
}

/// Each case has its findings, and no finding is left that is of no case.
std::string expect_findings(const Core& core, const std::vector<WrongCase>& cases) {
  const Check check = check_alone(core, core.build->pygc_options());
  std::vector<json> findings = check.document.at("findings");
  const std::size_t count = findings.size();
  for (const WrongCase& it : cases) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, it.name + " " + it.count);
    for (const ExpectedFinding& expected : it.findings) {
      EXPECT_EQ(take_findings(it, core, expected, findings), 1U) << expected.kind;
    }
  }
  EXPECT_THAT(findings, testing::IsEmpty());
  return std::to_string(cases.size()) + " cases, " + std::to_string(count) + " findings";
}

json audit_of(const Core& core) {
  std::vector<std::string> words = {"audit", core.path, "--json"};
  const auto options = core.build->pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  const json document = json::parse(outcome.out, nullptr, false);
  if (document.is_discarded()) {
    throw std::runtime_error("no audit came: " + outcome.out + outcome.err);
  }
  EXPECT_EQ(document.at("schema"), "pygc.audit/1");
  return document;
}

/// What the audit says of functions of libraries in the directory.
std::vector<json> audited_in(const json& audit, const std::string& directory) {
  std::vector<json> functions;
  for (const json& function : audit.at("functions")) {
    if (function.at("library").is_string() &&
        function.at("library").get<std::string>().starts_with(directory)) {
      functions.push_back(function);
    }
  }
  return functions;
}

/// Before 3.9 an instance does not own its type.
std::set<std::string> rules_for(const MatrixBuild& build, const WrongCase& it) {
  std::set<std::string> rules = it.rules;
  if (build.number < PythonVersion{3, 9, 0}) {
    rules.erase("type_not_visited");
  }
  return rules;
}

void expect_violations(const MatrixBuild& build, const WrongCase& it, const Core& core,
                       const json& function) {
  std::set<std::string> rules;
  for (const json& violation : function.at("violations")) {
    const auto rule = violation.at("rule").get<std::string>();
    rules.insert(rule);
    // Dead copies of an address may leave a doubt of who counted the reference.
    if (rule != "field_not_visited") {
      EXPECT_EQ(violation.at("certainty"), "proven") << violation.dump(1);
    }
    EXPECT_TRUE(
        printed(core, it.name, "instance").contains(address_in(violation.at("object"), "address")))
        << violation.dump(1);
    if (!it.owner.empty()) {
      EXPECT_TRUE(printed(core, it.name, "slot").contains(address_in(violation, "slot")))
          << violation.dump(1);
      EXPECT_EQ(violation.at("owner"), it.owner);
    }
  }
  EXPECT_EQ(rules, rules_for(build, it)) << function.dump(1);
}

/// Each function has broken its rules, and no other.
std::string expect_audit(const MatrixBuild& build, const Core& core,
                         const std::vector<WrongCase>& cases) {
  const json audit = audit_of(core);
  const std::string directory = build_extensions(build.build, {});
  const auto functions = audited_in(audit, directory);
  EXPECT_EQ(functions.size(), cases.size());
  std::size_t broken = 0;
  for (const WrongCase& it : cases) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, it.name);
    const auto found = std::ranges::find_if(functions, [&](const json& function) {
      return function.at("function").get<std::string>().find(function_of(it)) != std::string::npos;
    });
    if (found == functions.end()) {
      ADD_FAILURE() << "not audited";
      continue;
    }
    if (is_module(it)) {
      EXPECT_EQ(found->at("kind"), "m_traverse");
      EXPECT_THAT(found->at("types").dump(), HasSubstr(it.name));
    } else {
      EXPECT_EQ(found->at("kind"), "tp_traverse");
      EXPECT_EQ(found->at("types"), json::array({it.name}));
    }
    EXPECT_EQ(found->at("library"), directory + "/" + it.name.substr(0, it.name.find('.')) + ".so");
    expect_violations(build, it, core, *found);
    broken += found->at("violations").size();
  }
  return std::to_string(broken) + " rules broken";
}

class MatrixExtension : public MatrixTest {};

TEST_P(MatrixExtension, WrongTraversalsAreFoundForWhatTheyAre) {
  examine_build(GetParam(), "wrong extensions", [](const MatrixBuild& build) {
    const Core core = extension_core(build.build, wrong_cases());
    return expect_findings(core, wrong_cases()) + ", " + expect_audit(build, core, wrong_cases());
  });
}

/// Each traversal that does not end takes a fifth of a second: after a few the others are left.
TEST_P(MatrixExtension, AFunctionThatDoesNotEndIsLeft) {
  examine_build(GetParam(), "endless traversals", [](const MatrixBuild& build) {
    const Core core = make_core(
        {.build = &build.build,
         .script = "extensions.py",
         .words = {"path=" + build_extensions(build.build, {"conduct"}), "conduct.loops*500"}});
    const Check check = check_alone(core, build.build.pygc_options());
    EXPECT_EQ(check.document.at("complete"), false);
    const auto findings = findings_of(check.document, "traverse_timeout");
    EXPECT_EQ(findings.size(), 1U) << check.document.at("findings").dump(1);
    EXPECT_EQ(check.document.at("findings").size(), 1U);
    EXPECT_EQ(findings.at(0).at("occurrences"), 3);
    EXPECT_EQ(check.document.at("objects").at("not_traversed"), 500);
    EXPECT_THAT(check.document.at("incomplete_because").dump(),
                HasSubstr("497 further objects of loops_traverse were not traversed"));
    return std::string("3 of 500 were run");
  });
}

/// What a finding is about, without the words.
using Essence = std::tuple<std::string, std::string, std::string, std::string, std::string>;

std::set<Essence> essences(const json& document) {
  std::set<Essence> all;
  for (const json& finding : document.at("findings")) {
    // Where in an endless loop a traversal is stopped is chance.
    const bool endless = finding.at("kind") == "traverse_timeout";
    all.insert({finding.at("kind"), finding.at("severity"), finding.at("object").at("address"),
                endless ? "" : finding.value("pc", ""), finding.value("address", "")});
  }
  return all;
}

/// Faults, system calls and endless loops are each engine's own to notice.
TEST(MatrixExtension, BothEnginesFindTheSame) {
  for (const InterpreterBuild& build : interpreters()) {
    const Core core = extension_core(build, wrong_cases());
    const json native = check_alone(core).document;
    const json emulated = check_alone(core, {"--engine", "emulated"}).document;
    EXPECT_EQ(native.at("engine"), "native");
    EXPECT_EQ(emulated.at("engine"), "emulated");
    std::set<std::string> kinds; // cases of one function and field are one finding
    for (const json& finding : native.at("findings")) {
      kinds.insert(finding.at("kind"));
    }
    for (const WrongCase& wrong : wrong_cases()) {
      for (const ExpectedFinding& expected : wrong.findings) {
        EXPECT_TRUE(kinds.contains(expected.kind)) << wrong.name << ": " << expected.kind;
      }
    }
    EXPECT_EQ(essences(native), essences(emulated));
    EXPECT_EQ(native.at("objects"), emulated.at("objects"));
  }
}

/// Visited memory behind two allocations, counted references to a static variable's object, vector
/// registers; and a module with global state, of which a note may say that it must stay alone.
TEST_P(MatrixExtension, RightTraversalsAreClean) {
  examine_build(GetParam(), "right extensions", [](const MatrixBuild& build) {
    const std::string directory =
        build_extensions(build.build, {"right", "avx_x86_64", "single_phase"});
    const Core core =
        make_core({.build = &build.build,
                   .script = "extensions.py",
                   .words = {"path=" + directory, "right.two_structs*3", "right.counted*3",
                             "right.copies*3", "avx_x86_64.vector*3", "single_phase"}});
    const Check check = check_alone(core, build.build.pygc_options());
    EXPECT_EQ(check.status, 0) << check.document.dump(1);
    EXPECT_EQ(check.document.at("complete"), true) << check.document.dump(1);
    for (const json& note : check.document.at("notes")) {
      EXPECT_THAT(note.get<std::string>(), testing::Not(HasSubstr("vector_traverse")));
    }
    for (const json& finding : check.document.at("findings")) {
      EXPECT_EQ(finding.at("severity"), "note") << finding.dump(1);
      EXPECT_EQ(finding.at("visitors").at(0).at("name"), "single_phase") << finding.dump(1);
    }
    const json audit = audit_of(core);
    EXPECT_EQ(audit.at("complete"), true) << audit.at("incomplete_because");
    const auto functions = audited_in(audit, directory);
    EXPECT_EQ(functions.size(), 5U);
    for (const json& function : functions) {
      for (const json& violation : function.at("violations")) {
        EXPECT_EQ(violation.at("certainty"), "likely") << function.dump(1);
        EXPECT_THAT(function.at("function").get<std::string>(), HasSubstr("single_phase_traverse"))
            << function.dump(1);
      }
    }
    return std::to_string(check.document.at("findings").size()) + " notes";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixExtension,
                         testing::ValuesIn(half_of_the_kinds(Half::second)), name_of_build);

/// Each for itself, so that no case leans on what another does to the heap.
class MatrixExtensionAlone : public testing::TestWithParam<WrongCase> {};

TEST_P(MatrixExtensionAlone, IsFoundForWhatItIs) {
  const Core core = extension_core(release_build(), {GetParam()});
  expect_findings(core, {GetParam()});
}

std::string case_name(const testing::TestParamInfo<WrongCase>& it) {
  std::string name = it.param.name + it.param.count;
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Wrong, MatrixExtensionAlone, testing::ValuesIn(wrong_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Harmful, MatrixExtensionAlone, testing::ValuesIn(harmful_cases()),
                         case_name);

} // namespace
} // namespace pygc::e2e
