// `pygc check` on cores of interpreters: the verdict, and how complete it is.
#include "tests/e2e/support/front_ends.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// The offsets that walk_core.py goes by, as GDB reads them from the debug information.
const std::vector<std::string>& offsets_by_gdb(const InterpreterBuild& build) {
  static std::map<std::string, std::vector<std::string>> known;
  std::vector<std::string>& offsets = known[build.executable];
  if (offsets.empty()) {
    const std::string interpreter = "(long)&((PyInterpreterState*)0)->";
    Command command{.words = {PYGC_GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off"}};
    for (const std::string& offset :
         {std::string("(long)&_PyRuntime.interpreters.head - (long)&_PyRuntime"),
          interpreter + "next", interpreter + "gc.generations[0].head",
          interpreter + "gc.generations[1].head", interpreter + "gc.generations[2].head",
          interpreter + "gc.permanent_generation.head"}) {
      command.words.insert(command.words.end(), {"-ex", "output/d " + offset, "-ex", "echo \\n"});
    }
    command.words.push_back(build.executable);
    offsets = split_lines(run(command).out);
  }
  return offsets;
}

/// What an independent script counts in the same core.
json walk(const Core& core) {
  Command command{.words = {release_build().executable, script_path("walk_core.py"), core.path,
                            core.printed_value("runtime")}};
  const std::vector<std::string>& offsets = offsets_by_gdb(*core.build);
  command.words.insert(command.words.end(), offsets.begin(), offsets.end());
  return json::parse(run(command).out);
}

struct CoreCase {
  const InterpreterBuild* build = nullptr;
  CoreKind kind = CoreKind::gcore;
  unsigned filter = 0x33;
};

std::string case_name(const CoreCase& it) {
  std::string name = it.build->name + (it.kind == CoreKind::kernel ? "_kernel_" : "_gcore_");
  return name + to_hex(it.filter);
}

void PrintTo(const CoreCase& it, std::ostream* out) {
  *out << case_name(it);
}

std::vector<CoreCase> all_cases() {
  std::vector<CoreCase> cases;
  for (const InterpreterBuild& build : interpreters()) {
    for (const CoreKind kind : {CoreKind::kernel, CoreKind::gcore}) {
      for (const unsigned filter : {0x33U, 0x37U, 0x3fU}) {
        cases.push_back({&build, kind, filter});
      }
    }
  }
  return cases;
}

Core heap_core(const CoreCase& it, const std::vector<std::string>& words) {
  return make_core({.build = it.build,
                    .script = "heap.py",
                    .words = words,
                    .kind = it.kind,
                    .coredump_filter = it.filter});
}

class CheckOnCores : public testing::TestWithParam<CoreCase> {};

TEST_P(CheckOnCores, CleanHeapIsCleanAndWholly) {
  const Core core = heap_core(GetParam(), {});
  const Check check = check_alone(core);
  const json& document = check.document;
  EXPECT_EQ(check.status, 0) << document.dump(1);
  EXPECT_EQ(document.at("schema"), "pygc.check/1");
  EXPECT_EQ(document.at("verdict"), "clean") << document.dump(1);
  EXPECT_EQ(document.at("complete"), true);
  EXPECT_THAT(document.at("findings"), testing::IsEmpty());
  EXPECT_EQ(document.at("engine"), "native");

  EXPECT_EQ(document.at("target").at("kind"), "core");
  EXPECT_EQ(document.at("target").at("pid"), core.pid);
  EXPECT_EQ(document.at("python").at("version"), core.printed_value("version"));
  EXPECT_EQ(std::to_string(document.at("python").at("hexversion").get<unsigned>()),
            core.printed_value("hexversion"));
  EXPECT_EQ(document.at("python").at("debug"), core.build->debug);
  EXPECT_EQ(document.at("python").at("free_threaded"), false);
  EXPECT_EQ(document.at("collection").at("in_progress"), false);

  const json counted = walk(core);
  const json& objects = document.at("objects");
  EXPECT_GT(objects.at("walked"), 10000);
  EXPECT_EQ(objects.at("walked"), counted.at("total"));
  EXPECT_EQ(objects.at("traversed"), counted.at("total"));
  EXPECT_EQ(objects.at("unreadable"), 0);
  EXPECT_EQ(objects.at("not_traversed"), 0);
  EXPECT_GT(objects.at("visits"), objects.at("walked"));
  ASSERT_EQ(document.at("interpreters").size(), counted.at("interpreters").size());
  for (std::size_t i = 0; i < counted.at("interpreters").size(); ++i) {
    json lengths = json::array();
    for (const json& generation : document.at("interpreters").at(i).at("generations")) {
      lengths.push_back(generation.at("objects"));
    }
    EXPECT_EQ(lengths, counted.at("interpreters").at(i));
  }
}

TEST_P(CheckOnCores, DoubleImportIsFound) {
  const Core core = heap_core(GetParam(), {"twice"});
  const Check check = check_alone(core);
  EXPECT_EQ(check.status, 1) << check.document.dump(1);
  EXPECT_EQ(check.document.at("verdict"), "findings");
  EXPECT_EQ(check.document.at("complete"), true);
  EXPECT_EQ(check.document.at("objects").at("walked"), walk(core).at("total"));

  const auto findings = findings_of(check.document, "unowned_visit");
  ASSERT_EQ(findings.size(), 1U) << check.document.dump(1);
  EXPECT_EQ(check.document.at("findings").size(), 1U) << check.document.dump(1);
  const json& finding = findings.front();
  EXPECT_EQ(finding.at("severity"), "error");
  EXPECT_EQ(finding.at("gc_refs"), -1);
  const json& victim = finding.at("object");
  EXPECT_EQ(to_address(victim.at("address").get<std::string>()),
            to_address(core.printed_value("stderr")));
  EXPECT_EQ(victim.at("type"), "_io.TextIOWrapper");
  EXPECT_THAT(victim.at("summary").get<std::string>(),
              HasSubstr("<_io.TextIOWrapper name='<stderr>'"));
  EXPECT_EQ(victim.at("refcount").get<int>() - finding.at("visits").get<int>(), -1);
  EXPECT_FALSE(finding.at("message").get<std::string>().empty());

  std::set<std::string> instances;
  int visits = 0;
  std::set<std::string> places;
  ASSERT_EQ(finding.at("victims").size(), 1U);
  for (const json& visitor : finding.at("victims").at(0).at("visitors")) {
    visits += visitor.at("visits").get<int>();
    for (const json& place : visitor.at("places")) {
      places.insert(visitor.value("path", "") + place.at("name").get<std::string>());
    }
    if (visitor.at("name") == "faulthandler") {
      instances.insert(visitor.at("container").get<std::string>());
      EXPECT_EQ(visitor.at("type"), "module");
      EXPECT_EQ(visitor.at("visits"), 1);
      EXPECT_THAT(visitor.at("function").get<std::string>(), HasSubstr("faulthandler_traverse"));
    }
  }
  EXPECT_EQ(instances.size(), 2U) << finding.dump(1);
  EXPECT_EQ(visits, finding.at("visits"));
  EXPECT_THAT(places,
              testing::IsSupersetOf({"sys.__dict__['stderr']", "sys.__dict__['__stderr__']"}));
  EXPECT_EQ(finding.at("known").at("id"), "gh-149590");
  EXPECT_EQ(finding.at("next").at(0), "pygc object " + victim.at("address").get<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Cores, CheckOnCores, testing::ValuesIn(all_cases()),
                         [](const auto& param) { return case_name(param.param); });

class CheckEverywhere : public testing::TestWithParam<bool> {};

TEST_P(CheckEverywhere, AllFrontEndsGiveTheSameFindings) {
  const bool twice = GetParam();
  for (const CoreKind kind : {CoreKind::kernel, CoreKind::gcore}) {
    const Core core = make_core({.build = &release_build(),
                                 .script = "heap.py",
                                 .words = {twice ? "twice" : "once"},
                                 .kind = kind});
    const Check alone = check_alone(core);
    const Check gdb = check_in_gdb(core);
    const Check lldb = check_in_lldb(core);
    const int expected = twice ? 1 : 0;
    EXPECT_EQ(alone.status, expected);
    EXPECT_EQ(gdb.status, expected) << gdb.outcome.out << gdb.outcome.err;
    EXPECT_EQ(lldb.status, expected) << lldb.outcome.out << lldb.outcome.err;
    EXPECT_EQ(gdb.document.at("findings"), alone.document.at("findings"));
    EXPECT_EQ(lldb.document.at("findings"), alone.document.at("findings"));
    EXPECT_EQ(alone.document.at("findings").empty(), !twice);
    for (const Check* each : {&gdb, &lldb}) {
      for (const char* part : {"python", "objects", "interpreters", "collection", "verdict"}) {
        EXPECT_EQ(each->document.at(part), alone.document.at(part)) << part;
      }
      EXPECT_THAT(each->outcome.survivors, testing::IsEmpty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Heaps, CheckEverywhere, testing::Bool(),
                         [](const auto& param) { return param.param ? "double_import" : "clean"; });

TEST(CheckOnAbort, DebugBuildInTheMiddleOfACollectionNamesTheVictim) {
  const Core core =
      make_core({.build = &debug_build(), .script = "assertion.py", .kind = CoreKind::kernel});
  const Check check = check_alone(core);
  const json& document = check.document;
  EXPECT_EQ(check.status, 1) << document.dump(1);
  EXPECT_EQ(document.at("verdict"), "findings");
  const std::uint64_t victim = to_address(core.printed_value("stderr"));

  const json& collection = document.at("collection");
  EXPECT_EQ(collection.at("in_progress"), true);
  EXPECT_EQ(collection.at("phase"), "subtract_refs");
  ASSERT_TRUE(collection.at("victim").is_object()) << collection.dump();
  EXPECT_EQ(to_address(collection.at("victim").at("address").get<std::string>()), victim);
  ASSERT_TRUE(collection.at("container").is_object()) << collection.dump();
  EXPECT_NE(to_address(collection.at("container").at("address").get<std::string>()), 0U);

  EXPECT_THAT(findings_of(document, "negative_gc_refs"), testing::IsEmpty());
  const auto findings = findings_of(document, "gc_refs_mismatch");
  ASSERT_FALSE(findings.empty()) << document.dump(1);
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const json& each) {
    return to_address(each.at("object").at("address").get<std::string>()) == victim;
  });
  ASSERT_NE(found, findings.end()) << document.dump(1);
  EXPECT_EQ(found->at("object").at("type"), "_io.TextIOWrapper");

  // Memory no longer explains two visits: the message says so, and names who would.
  const std::string text = found->dump();
  EXPECT_THAT(text, HasSubstr("faulthandler"));
  std::set<std::string> instances;
  for (const json& visitor : found->at("visitors")) {
    if (visitor.at("name") == "faulthandler") {
      instances.insert(visitor.at("container").get<std::string>());
    }
  }
  EXPECT_EQ(instances.size(), 2U) << found->dump(1);
  EXPECT_EQ(found->at("unexplained_visits"), 2);

  EXPECT_EQ(check_in_gdb(core).document.at("findings"), document.at("findings"));
  EXPECT_EQ(check_in_lldb(core).document.at("findings"), document.at("findings"));
}

} // namespace
} // namespace pygc::e2e
