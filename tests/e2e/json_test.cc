// The JSON documents of all commands: one envelope, errors included, wherever pygc runs.
#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/oracle.h"
#include "tests/e2e/support/processes.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int target_error = 2;

class JsonOutput : public testing::Test {
protected:
  static const Core& core() {
    static const Core core =
        make_core({.build = &release_build(), .script = "heap.py", .words = {"once"}});
    return core;
  }

  /// The document of an error, and that nothing was said besides.
  static json error_of(const std::vector<std::string>& words) {
    const Outcome outcome = run_pygc(words);
    EXPECT_EQ(outcome.status, target_error) << outcome.out;
    EXPECT_EQ(outcome.err, "");
    return expect_error(parse_document(outcome.out, outcome));
  }

  static json expect_error(const json& document) {
    EXPECT_EQ(document.at("schema"), "pygc.error/1");
    EXPECT_EQ(document.at("complete"), false);
    EXPECT_FALSE(document.at("message").get<std::string>().empty());
    EXPECT_TRUE(document.at("mend").is_string()) << document.dump(1);
    return document;
  }
};

TEST_F(JsonOutput, EveryCommandHasTheEnvelope) {
  const std::string version = run_pygc({"version"}).out;
  for (const std::string command :
       {"check", "audit", "modules", "generations", "runtime", "doctor", "gc-refs", "find",
        "garbage", "types", "dominators", "layout"}) {
    const Outcome outcome = run_pygc({command, core().path, "--json"});
    ASSERT_THAT(outcome.status, testing::AnyOf(0, 1)) << command << outcome.out << outcome.err;
    const json document = parse_document(outcome.out, outcome);
    EXPECT_EQ(document.at("schema"), "pygc." + command + "/1");
    EXPECT_THAT(version, HasSubstr(document.at("pygc").get<std::string>()));
    EXPECT_EQ(document.at("target").at("kind"), "core");
    EXPECT_EQ(document.at("target").at("pid"), core().pid);
    EXPECT_EQ(document.at("target").at("core"), core().path);
    EXPECT_EQ(document.at("python").at("version"), core().printed_value("version"));
    EXPECT_EQ(document.at("complete"), true) << document.at("incomplete_because");
  }
}

TEST_F(JsonOutput, WithoutATarget) {
  const Outcome outcome = run_pygc({"version", "--json"});
  const json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(document.at("schema"), "pygc.version/1");
  EXPECT_EQ(document.at("target"), nullptr);
  EXPECT_EQ(document.at("complete"), true);
}

TEST_F(JsonOutput, GcRefsAreThoseOfTheText) {
  const TempDir directory;
  const std::string text = directory.file("refs.txt");
  ASSERT_EQ(run_pygc({"gc-refs", core().path, "--output", text}).status, 0);
  const References references = read_references(text);
  const Outcome outcome = run_pygc({"gc-refs", core().path, "--json"});
  const json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(document.at("count"), references.size());
  ASSERT_EQ(document.at("objects").size(), references.size());
  for (const json& object : document.at("objects")) {
    const auto found = references.find(to_address(object.at("address").get<std::string>()));
    ASSERT_NE(found, references.end()) << object;
    EXPECT_EQ(object.at("gc_refs"), found->second.gc_refs);
    EXPECT_EQ(object.at("refcount"), found->second.refcount);
    EXPECT_EQ(object.at("type"), found->second.type);
  }
}

TEST_F(JsonOutput, LayoutIsTheTableInAnEnvelope) {
  const Outcome table = run_pygc({"layout", core().path});
  const Outcome outcome = run_pygc({"layout", core().path, "--json"});
  EXPECT_EQ(parse_document(outcome.out, outcome).at("table"), json::parse(table.out));
}

TEST_F(JsonOutput, SnapshotTellsOfItsFile) {
  const RunningScript script({.build = &release_build(), .script = "heap.py", .words = {"once"}});
  const TempDir directory;
  const std::string file = directory.file("core");
  const Outcome outcome =
      run_pygc({"snapshot", "--pid", std::to_string(script.pid()), "--output", file, "--json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const json document = parse_document(outcome.out, outcome);
  EXPECT_EQ(document.at("target").at("pid"), script.pid());
  EXPECT_EQ(document.at("file"), file);
  EXPECT_EQ(document.at("bytes"), std::filesystem::file_size(file));
}

TEST_F(JsonOutput, ErrorsAreDocuments) {
  EXPECT_EQ(error_of({"check", "/nonexistent/core", "--json"}).at("kind"), "not_found");
  EXPECT_EQ(error_of({"check", "--json"}).at("kind"), "usage");
  EXPECT_EQ(error_of({"check", release_build().executable, "--json"}).at("kind"), "not_a_core");
  EXPECT_EQ(
      error_of({"snapshot", "--json", "--pid", "2147483647", "--output", "/dev/null"}).at("kind"),
      "not_found");
  const json watch = error_of({"watch", "0x1000", "--json"});
  EXPECT_EQ(watch.at("kind"), "usage");
  EXPECT_EQ(watch.at("target"), nullptr);
}

TEST_F(JsonOutput, ErrorsOfTheWordsAreDocuments) {
  const json option = error_of({"check", "--json", "--no-such-option"});
  EXPECT_EQ(option.at("kind"), "usage");
  EXPECT_THAT(option.at("message").get<std::string>(), HasSubstr("--no-such-option"));
  EXPECT_EQ(error_of({"no-such-command", "--json"}).at("kind"), "usage");
  EXPECT_EQ(error_of({"check", "--deep", "--no-trace", "--json"}).at("kind"), "usage");
}

TEST_F(JsonOutput, ErrorsNameTheTargetOnceItIsThere) {
  const json document = error_of({"check", core().path, "--runtime", "7", "--json"});
  EXPECT_EQ(document.at("kind"), "usage");
  EXPECT_EQ(document.at("target").at("core"), core().path);
}

TEST_F(JsonOutput, ErrorsGoWhereTheDocumentWasToGo) {
  const TempDir directory;
  const std::string file = directory.file("check.json");
  const Outcome outcome = run_pygc({"check", "/nonexistent/core", "--json", "--output", file});
  EXPECT_EQ(outcome.status, target_error);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(expect_error(parse_document(read_file(file), outcome)).at("kind"), "not_found");
  // What cannot be written there is put out.
  const json unwritable =
      error_of({"check", core().path, "--json", "--output", "/nonexistent/directory/file"});
  EXPECT_THAT(unwritable.at("message").get<std::string>(), HasSubstr("/nonexistent/directory"));
}

TEST_F(JsonOutput, WithoutJsonErrorsAreSentences) {
  const Outcome outcome = run_pygc({"check", "/nonexistent/core"});
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, testing::StartsWith("pygc: "));
  EXPECT_EQ(split_lines(outcome.err).size(), 1U);
}

/// From the first bracket to the last.
json document_in(const Outcome& outcome) {
  const auto start = outcome.out.find("\n{");
  const auto end = outcome.out.rfind("}\n");
  if (start == std::string::npos || end == std::string::npos) {
    return parse_document("", outcome);
  }
  return parse_document(outcome.out.substr(start, end + 1 - start), outcome);
}

TEST_F(JsonOutput, ErrorsInDebuggers) {
  const Outcome gdb = run_in_gdb(target_of(core()), {"pygc check --json --runtime 7",
                                                     "printf \"pygc_status=%d\\n\", $pygc_status"});
  EXPECT_EQ(expect_error(document_in(gdb)).at("kind"), "usage");
  EXPECT_THAT(gdb.out, HasSubstr("pygc_status=2"));
  const Outcome lldb = run_in_lldb(target_of(core()), {"pygc check --json --runtime 7"});
  EXPECT_EQ(expect_error(document_in(lldb)).at("kind"), "usage");
  EXPECT_NE(lldb.status, 0);
}

TEST_F(JsonOutput, NamesOfTheTargetDoNotReachTheTerminalAsTheyAre) {
  const TempDir directory;
  const std::string script = directory.file("evil.py");
  std::ofstream(script) << "import time, types\n"
                           "kept = types.ModuleType('Evil\\x1b[2J\\u202e')\n"
                           "print('READY', flush=True)\n"
                           "while True:\n"
                           "    time.sleep(1)\n";
  const Core core = make_core_of_program({release_build().executable, script});
  const Outcome text = run_pygc({"modules", core.path, "--all"});
  EXPECT_THAT(text.out, HasSubstr("Evil\\x1b[2J\\u202e"));
  EXPECT_THAT(text.out, testing::Not(HasSubstr("\x1b")));
  const Outcome document = run_pygc({"modules", core.path, "--json"});
  EXPECT_THAT(document.out, HasSubstr("Evil\\u001b[2J\\u202e"));
  EXPECT_THAT(document.out, testing::Not(HasSubstr("\x1b")));
}

} // namespace
} // namespace pygc::e2e
