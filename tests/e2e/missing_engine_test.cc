// An emulated engine that is missing or fails: what it was to do is said not to be done, with
// pygc's own words, and what the native one found stands.
#include "tests/e2e/support/front_ends.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int clean = 0;
constexpr int target_error = 2;
constexpr int incomplete = 3;

struct Broken {
  const char* name;
  const char* script; // null: no file at all; REAL stands for the true engine
  bool executable;
  const char* reason;
};

void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.name;
}

/// pygc's directory of engines, with the native one as it is.
class Libexec {
public:
  explicit Libexec(const Broken& broken) {
    const fs::path real = fs::path(PYGC_BINARY).parent_path().parent_path() / "libexec/pygc";
    fs::create_symlink(real / "pygc-replayer-native", directory_.file("pygc-replayer-native"));
    if (broken.script == nullptr) {
      return;
    }
    std::string text = broken.script;
    if (const auto at = text.find("REAL"); at != std::string::npos) {
      text.replace(at, 4, (real / "pygc-replayer-emulated").string());
    }
    const std::string path = directory_.file("pygc-replayer-emulated");
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    fs::permissions(path, fs::perms{broken.executable ? 0755U : 0644U});
  }

  std::vector<std::string> env() const {
    return {"PYGC_LIBEXEC_DIR=" + directory_.path().string()};
  }

private:
  TempDir directory_;
};

const Core& clean_core() {
  static const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  return core;
}

class BrokenEngine : public testing::TestWithParam<Broken> {
protected:
  Libexec libexec_{GetParam()};
};

TEST_P(BrokenEngine, CheckIsIncomplete) {
  const Check check = check_alone(clean_core(), {}, libexec_.env());
  EXPECT_EQ(check.status, incomplete);
  EXPECT_EQ(check.document["verdict"], "incomplete");
  EXPECT_EQ(check.document["complete"], false);
  EXPECT_GT(check.document["objects"]["traversed"], 0);
  EXPECT_THAT(check.document["incomplete_because"].dump(),
              AllOf(HasSubstr("not traced to their slots"), HasSubstr(GetParam().reason)));
  EXPECT_THAT(check.outcome.err, Not(HasSubstr("RAW")));
}

TEST_P(BrokenEngine, OtherWaysToAsk) {
  const Core& core = clean_core();
  EXPECT_EQ(check_alone(core, {"--no-trace"}, libexec_.env()).status, clean);
  EXPECT_EQ(check_alone(core, {"--deep"}, libexec_.env()).status, incomplete);
  const Check both = check_alone(core, {"--engine", "both", "--no-trace"}, libexec_.env());
  EXPECT_EQ(both.status, incomplete);
  EXPECT_THAT(both.document["incomplete_because"].dump(), HasSubstr("engines were not compared"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"check", core.path, "--engine", "emulated"},
        std::vector<std::string>{"audit", core.path}}) {
    const Outcome refused = run_pygc(words, libexec_.env());
    EXPECT_EQ(refused.status, target_error) << refused.out;
    EXPECT_THAT(refused.err, AllOf(HasSubstr(GetParam().reason), Not(HasSubstr("RAW"))));
  }
  const Outcome modules = run_pygc({"modules", core.path, "--json"}, libexec_.env());
  EXPECT_EQ(modules.status, incomplete);
  EXPECT_FALSE(parse_document(modules.out, modules)["modules"].empty());
  EXPECT_THAT(modules.err, HasSubstr(GetParam().reason));
  const Outcome doctor = run_pygc({"doctor", core.path}, libexec_.env());
  EXPECT_THAT(doctor.out, HasSubstr("libunicorn2"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenEngine,
    testing::Values(Broken{"missing", nullptr, false, "engine is missing"},
                    Broken{"not_executable", "exit 0", false, "not executable"},
                    Broken{"not_loaded", "echo RAW >&2; exit 127", true, "cannot be loaded"},
                    Broken{"ends_at_once", "exit 5", true, "ended with status 5"},
                    Broken{"killed", "head -c 1 <&3 >/dev/null; kill -9 $$", true, "signal 9"},
                    Broken{"no_memory", "ulimit -v 20000; exec REAL", true, "memory"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BrokenEngineInDebuggers, CheckIsIncomplete) {
  const Libexec libexec(Broken{"missing", nullptr, false, ""});
  const Check gdb = check_in_gdb(clean_core(), libexec.env());
  const Check lldb = check_in_lldb(clean_core(), libexec.env());
  EXPECT_EQ(gdb.status, incomplete);
  EXPECT_EQ(lldb.status, incomplete);
  for (const Check* check : {&gdb, &lldb}) {
    EXPECT_EQ(check->document["verdict"], "incomplete");
    EXPECT_THAT(check->document["incomplete_because"].dump(), HasSubstr("engine is missing"));
  }
}

} // namespace
} // namespace pygc::e2e
