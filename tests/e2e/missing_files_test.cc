// Processes and cores whose files are elsewhere, gone, or others than those that were loaded.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/processes.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

void expect_clean(const Check& check) {
  EXPECT_EQ(check.status, 0) << check.document.dump(1);
  EXPECT_EQ(check.document.at("verdict"), "clean");
  EXPECT_GT(check.document.at("objects").at("walked"), 1000);
}

/// Starts an interpreter that says READY and waits.
class MissingFiles : public testing::Test {
protected:
  MissingFiles() : copy_(directory_.file("python3")) {
    std::filesystem::copy_file(release_build().executable, copy_);
  }
  static std::string code() {
    return "import time; print(\"READY\", flush=True); time.sleep(1000)";
  }
  static void wait(Child& child) {
    ASSERT_TRUE(child.read_until("READY", std::chrono::seconds(60)));
  }

  TempDir directory_;
  std::string copy_;
};

TEST_F(MissingFiles, AnExecutableThatWasReplaced) {
  Child child({.words = {"/bin/sh", "-c", "exec " + copy_ + " -c '" + code() + "'"}});
  wait(child);
  std::filesystem::remove(copy_);
  std::filesystem::copy_file(debug_build().executable, copy_);
  expect_clean(check_process(child.pid()));
}

TEST_F(MissingFiles, AnExecutableThatWasDeleted) {
  Child child({.words = {"/bin/sh", "-c", "exec " + copy_ + " -c '" + code() + "'"}});
  wait(child);
  std::filesystem::remove(copy_);
  expect_clean(check_process(child.pid()));
}

TEST_F(MissingFiles, AnotherMountNamespace) {
  // For everybody else the directory is empty.
  const std::string hidden = directory_.file("mount");
  std::filesystem::create_directory(hidden);
  const std::string interpreter = hidden + "/python3";
  Child child({.words = {"/usr/bin/unshare", "-m", "/bin/sh", "-c",
                         "mount -t tmpfs tmpfs " + hidden + " && cp " + copy_ + " " + interpreter +
                             " && exec " + interpreter + " -c '" + code() + "'"}});
  wait(child);
  ASSERT_FALSE(std::filesystem::exists(interpreter));
  expect_clean(check_process(child.pid()));
}

TEST_F(MissingFiles, ACoreWithoutItsFileIsIncompleteAndNotDamaged) {
  const Core core = make_core({.build = &release_build(),
                               .script = "heap.py",
                               .words = {"abort"},
                               .kind = CoreKind::kernel});
  const Check check = check_alone(core, {"--executable", debug_build().executable});
  EXPECT_EQ(check.status, 3) << check.document.dump(1);
  EXPECT_EQ(check.document.at("verdict"), "incomplete");
  for (const json& finding : check.document.at("findings")) {
    EXPECT_NE(finding.at("severity"), "error") << finding.dump(1);
  }
  EXPECT_LT(check.document.at("findings").size(), 20U);
  EXPECT_FALSE(findings_of(check.document, "build_id_mismatch").empty());
}

} // namespace
} // namespace pygc::e2e
