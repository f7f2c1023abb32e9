// Each view of a model made by hand, to the letter: tests/data/report holds the texts at 80 and at
// 120 columns and the documents. PYGC_UPDATE_GOLDEN=1 writes those files anew, to be read before
// they are committed.
#include "common/report/audit_view.h"
#include "common/report/check_view.h"
#include "common/report/doctor_view.h"
#include "common/report/error_view.h"
#include "common/report/gc_refs_view.h"
#include "common/report/generations_view.h"
#include "common/report/kit/envelope.h"
#include "common/report/layout_view.h"
#include "common/report/modules_view.h"
#include "common/report/runtime_view.h"
#include "common/report/snapshot_view.h"
#include "common/report/step_view.h"
#include "common/report/version_view.h"
#include "common/report/watch_view.h"
#include "tests/support/schemas.h"
#include "tests/unit/gc_refs_models.h"
#include "tests/unit/report_models.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace pygc::report {
namespace {

/// Every document carries the version of pygc, which is not what these tests are about.
std::string without_version(std::string text) {
  const std::string version = fmt::format("\"{}\"", pygc_version());
  if (const auto at = text.find(version); at != std::string::npos) {
    text.replace(at, version.size(), "\"0.0.0\"");
  }
  return text;
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(PYGC_TEST_DATA_DIR) + "/report/" + name;
  if (std::getenv("PYGC_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream wanted;
  wanted << file.rdbuf();
  EXPECT_EQ(text, wanted.str()) << path;
}

void expect_no_controls(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(c == '\n' || (byte >= 0x20 && byte != 0x7f)) << static_cast<int>(byte);
  }
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("\u202e")));
}

void expect_text(const std::string& name, const std::function<std::string(Style)>& view) {
  for (const unsigned width : {80U, 120U}) {
    const std::string text = view({.width = width});
    expect_no_controls(text);
    expect_golden(fmt::format("{}.{}.txt", name, width), text);
  }
}

void expect_json(const std::string& name, const std::string& text) {
  expect_no_controls(text);
  expect_golden(name + ".json", without_version(text));
  const auto document = nlohmann::json::parse(text, nullptr, false);
  ASSERT_FALSE(document.is_discarded()) << text;
  EXPECT_EQ(tests::violations_of_schema(document), "");
}

TEST(ReportViews, Check) {
  expect_text("check", [](Style style) { return check_text(subject(), check_report(), style); });
  expect_json("check",
              check_json(subject(), check_report(), {.engine = "native", .seconds = 1.25}));
}

TEST(ReportViews, CheckInTheMiddleOfACollection) {
  expect_text("check_clean",
              [](Style style) { return check_text(subject(), clean_report(), style); });
  expect_json("check_clean",
              check_json(subject(), clean_report(), {.engine = "both", .seconds = 1.25}));
}

TEST(ReportViews, CheckWithWarningsOnly) {
  expect_text("check_warned",
              [](Style style) { return check_text(subject(), warned_report(), style); });
  expect_json("check_warned",
              check_json(subject(), warned_report(), {.engine = "native", .seconds = 1.25}));
}

TEST(ReportViews, VerdictsAgreeWithTheFindings) {
  analysis::CheckReport report = warned_report();
  EXPECT_EQ(verdict_of(report), "warnings");
  report.complete = false;
  EXPECT_EQ(verdict_of(report), "incomplete");
  report.findings.front().severity = analysis::Severity::error;
  EXPECT_EQ(verdict_of(report), "findings");
  report.complete = true;
  report.findings.front().severity = analysis::Severity::note;
  EXPECT_EQ(verdict_of(report), "clean");
}

TEST(ReportViews, NothingOfACheckIsWiderThanTheTerminal) {
  for (const unsigned width : {60U, 80U, 200U}) {
    std::istringstream lines(check_text(subject(), check_report(), {.width = width}));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), std::max(width, 80U)) << line; // of words that are longer
    }
  }
}

TEST(ReportViews, CheckInColour) {
  expect_golden("check.colour.txt",
                check_text(subject(), check_report(), {.width = 80, .colour = true}));
}

TEST(ReportViews, Audit) {
  expect_text("audit", [](Style style) { return audit_text(audit_report(), style, false); });
  expect_text("audit_all", [](Style style) { return audit_text(audit_report(), style, true); });
  expect_json("audit", audit_json(subject(), audit_report()));
}

TEST(ReportViews, Generations) {
  expect_text("generations",
              [](Style style) { return generations_text(generation_survey(), style); });
  expect_json("generations", generations_json(subject(), generation_survey()));
}

TEST(ReportViews, Runtime) {
  expect_text("runtime", [](Style style) { return runtime_text(runtimes(), style); });
  expect_json("runtime", runtime_json(subject(), runtimes()));
}

TEST(ReportViews, Modules) {
  expect_text("modules", [](Style style) { return modules_text(modules(), style, false); });
  expect_text("modules_all", [](Style style) { return modules_text(modules(), style, true); });
  expect_json("modules", modules_json(subject(), modules(), {"visits are not known"}));
}

TEST(ReportViews, Doctor) {
  expect_text("doctor", [](Style style) { return doctor_text(doctor_report(), style); });
  Subject without_python = subject();
  without_python.python.reset();
  expect_json("doctor", doctor_json(without_python, doctor_report()));
}

TEST(ReportViews, DoctorFindsNothingLacking) {
  expect_text("doctor_well", [](Style style) {
    return doctor_text({.facts = {{"target.kind", "core"}}, .lacks = {}}, style);
  });
}

TEST(ReportViews, Step) {
  expect_text("step", [](Style style) { return step_text(step_report(), style); });
  expect_json("step", step_json(subject(), step_report()));
}

TEST(ReportViews, StepOutsideOfACollection) {
  expect_text("step_none", [](Style style) { return step_text({}, style); });
  expect_json("step_none", step_json(subject(), {}));
}

TEST(ReportViews, Watch) {
  expect_text("watch", [](Style style) { return watch_text(watch_hit(), style); });
  expect_json("watch", watch_json(subject(), watch_hit()));
}

TEST(ReportViews, GcRefs) {
  std::string written;
  const Write write = [&](std::string_view text) {
    written += text;
    return Result<void>{};
  };
  ListOfRows list = gc_refs_list();
  ASSERT_TRUE(write_gc_refs_text(list, write));
  expect_golden("gc_refs.txt", written);
  expect_no_controls(written);
  written.clear();
  ASSERT_TRUE(write_gc_refs_json(subject(), list, write));
  expect_json("gc_refs", written);
  written.clear();
  ListOfRows none({}, {});
  ASSERT_TRUE(write_gc_refs_json(subject(), none, write));
  expect_json("gc_refs_none", written);
}

TEST(ReportViews, GcRefsEndWhereTheyCannotBeWritten) {
  ListOfRows list = gc_refs_list();
  std::size_t pieces = 0;
  const Write write = [&](std::string_view) {
    return ++pieces == 2 ? Result<void>(fail(ErrorKind::io, 0, "no room")) : Result<void>{};
  };
  EXPECT_FALSE(write_gc_refs_text(list, write));
  EXPECT_EQ(pieces, 2U);
  pieces = 0;
  EXPECT_FALSE(write_gc_refs_json(subject(), list, write));
  EXPECT_EQ(pieces, 2U);
}

TEST(ReportViews, Snapshot) {
  const WrittenSnapshot snapshot{
      .path = "core.\x1b[2J", .bytes = 12345678, .disk_bytes = 4096, .unreadable = 8192};
  target::Info info = subject().target.value_or(target::Info{});
  info.stopped_seconds = 0.25;
  Subject process;
  process.target = info;
  expect_golden("snapshot.txt", snapshot_text(snapshot));
  expect_json("snapshot", snapshot_json(process, snapshot));
}

TEST(ReportViews, Layout) {
  expect_json("layout", layout_json(subject(), R"({"version": "3.11.2", "structs": {}})"));
}

TEST(ReportViews, Version) {
  EXPECT_EQ(version_text(), fmt::format("pygc {} (CPython {}, x86-64 Linux)\n", pygc_version(),
                                        cpython::supported_versions()));
  expect_json("version", version_json());
}

TEST(ReportViews, Error) {
  const Error error{
      .kind = ErrorKind::not_a_core, .address = 0, .reason = "/tmp/\x1b[2J is no core file"};
  expect_json("error", error_json({}, error));
  const Error in_target{
      .kind = ErrorKind::corrupt, .address = 0x9a2000, .reason = "_PyRuntime makes no sense"};
  expect_json("error_in_target", error_json(subject(), in_target));
}

TEST(ReportViews, EveryKindOfErrorIsOneOfTheSchema) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind) {
    const Error error{
        .kind = static_cast<ErrorKind>(kind), .address = 0, .reason = "it does not work"};
    const auto document = nlohmann::json::parse(error_json({}, error));
    EXPECT_EQ(tests::violations_of_schema(document), "") << kind;
  }
}

TEST(Schemas, RefuseWhatIsWrong) {
  const auto good = nlohmann::json::parse(
      check_json(subject(), check_report(), {.engine = "native", .seconds = 1.25}));
  const auto expect_refused = [&](const char* where, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(where)] = value;
    EXPECT_NE(tests::violations_of_schema(bad), "") << where;
  };
  expect_refused("/novelty", 1);
  expect_refused("/target/kind", "ghost");
  expect_refused("/target/pid", "4711");
  expect_refused("/python/novelty", 1);
  expect_refused("/complete", true); // there are reasons
  expect_refused("/findings/0/kind", "novelty");
  expect_refused("/findings/0/object/address", 140000);
  expect_refused("/findings/0/object/address", "7f52");
  expect_refused("/findings/0/visitors/0/novelty", 1);
  expect_refused("/interpreters/0/generations/0/objects", -1);
  nlohmann::json short_of_one = good;
  short_of_one.at("objects").erase("walked");
  EXPECT_NE(tests::violations_of_schema(short_of_one), "");
  EXPECT_NE(tests::violations_of_schema(nlohmann::json::object()), "");
  EXPECT_THROW(tests::violations_of_schema({{"schema", "pygc.novelty/1"}}), std::runtime_error);
}

} // namespace
} // namespace pygc::report
