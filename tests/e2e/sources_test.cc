// Where layouts, text and symbols come from when the nearest source is not there.
#include "tests/e2e/support/front_ends.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// What a finding says about memory, without the names that symbols give.
json bare(const json& findings) {
  json all = json::array();
  for (const json& finding : findings) {
    json one = {finding.at("kind"), finding.at("object").at("address"), finding.at("gc_refs"),
                finding.at("visits")};
    for (const json& visitor : finding.at("visitors")) {
      one.push_back({visitor.at("container"), visitor.at("name"), visitor.at("visits")});
    }
    all.push_back(one);
  }
  return all;
}

class Sources : public testing::Test {
protected:
  Sources()
      : core_(make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}})) {}

  Check check(const std::vector<std::string>& words) {
    return check_alone(core_, words, {"PYGC_CACHE_DIR=" + cache_.path().string()});
  }

  std::vector<std::string> cached_files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(cache_.path())) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path().string());
      }
    }
    return files;
  }

  TempDir cache_;
  TempDir nothing_;
  Core core_;
};

TEST_F(Sources, WithoutTheDebugPackageATableServes) {
  const Check with = check({});
  EXPECT_EQ(with.document.at("python").at("layout"), "dwarf");
  const TempDir other_cache;
  const Check without = check_alone(core_, {"--debug-directory", nothing_.path().string()},
                                    {"PYGC_CACHE_DIR=" + other_cache.path().string()});
  EXPECT_EQ(without.document.at("python").at("layout"), "table");
  EXPECT_EQ(without.status, 1);
  EXPECT_EQ(without.document.at("verdict"), "findings");
  EXPECT_EQ(bare(without.document.at("findings")), bare(with.document.at("findings")));
  EXPECT_EQ(without.document.at("objects"), with.document.at("objects"));
}

TEST_F(Sources, CleanWithoutTheDebugPackage) {
  const Core clean = make_core({.build = &release_build(), .script = "heap.py"});
  const Check check = check_alone(clean, {"--debug-directory", nothing_.path().string()},
                                  {"PYGC_CACHE_DIR=" + cache_.path().string()});
  EXPECT_EQ(check.status, 0) << check.document.dump(1);
  EXPECT_EQ(check.document.at("verdict"), "clean");
}

TEST_F(Sources, WhatDwarfSaidIsCached) {
  const Check first = check({});
  const std::vector<std::string> files = cached_files();
  ASSERT_FALSE(files.empty());
  std::vector<fs::file_time_type> times;
  std::ranges::transform(files, std::back_inserter(times),
                         [](const std::string& file) { return fs::last_write_time(file); });
  const Check second = check({});
  EXPECT_EQ(second.document.at("findings"), first.document.at("findings"));
  EXPECT_EQ(second.document.at("python"), first.document.at("python"));
  EXPECT_EQ(cached_files(), files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(fs::last_write_time(files[i]), times[i]) << files[i] << " was written again";
  }
}

TEST_F(Sources, ADamagedCacheIsNotBelieved) {
  const Check first = check({});
  const std::vector<std::string> files = cached_files();
  ASSERT_FALSE(files.empty());
  for (const char* garbage : {"", "{", "{\"PyObject\": {\"ob_type\": 4096}}", "garbage\n"}) {
    for (const std::string& file : files) {
      std::ofstream(file, std::ios::trunc) << garbage;
    }
    const Check again = check({});
    EXPECT_EQ(again.status, 1) << garbage;
    EXPECT_EQ(again.document.at("findings"), first.document.at("findings")) << garbage;
  }
}

TEST_F(Sources, NoCacheDirectoryIsNoError) {
  const Check check = check_alone(core_, {}, {"PYGC_CACHE_DIR=/proc/nonexistent"});
  EXPECT_EQ(check.status, 1);
  EXPECT_EQ(check.document.at("verdict"), "findings");
}

TEST_F(Sources, SysrootSuppliesTheFiles) {
  // A copy of the interpreter, which then lives in a sysroot only.
  const TempDir place;
  const TempDir sysroot;
  const std::string executable = place.file(fs::path(release_build().executable).filename());
  fs::copy_file(release_build().executable, executable);
  const Core core =
      make_core_of_program({executable, script_path("heap.py"), "twice"}, {"PYTHONHOME=/usr"});
  for (const std::string& line : core.printed) {
    if (line.starts_with("mapped ")) {
      const std::string file = line.substr(7);
      const fs::path to = sysroot.path().string() + file;
      fs::create_directories(to.parent_path());
      fs::copy_file(file, to);
    }
  }
  ASSERT_TRUE(fs::exists(sysroot.path().string() + executable));
  fs::remove(executable);
  const Check check = check_alone(core, {"--sysroot", sysroot.path().string()});
  EXPECT_EQ(check.status, 1) << check.outcome.err;
  EXPECT_EQ(check.document.at("complete"), true);
  EXPECT_EQ(findings_of(check.document, "unowned_visit").size(), 1U);
}

/// The file of an extension module of the release build.
fs::path extension_module(const std::string& name) {
  const Outcome outcome = run({.words = {release_build().executable, "-c",
                                         "import " + name + "; print(" + name + ".__file__)"}});
  return split_lines(outcome.out).at(0);
}

TEST_F(Sources, AMissingLibraryIsSaidAndTheRestIsChecked) {
  // An extension module with types and traverse functions of its own, gone since.
  const TempDir extensions;
  const fs::path module_file = extension_module("_ctypes");
  const std::string name = module_file.filename();
  fs::copy_file(module_file, extensions.file(name));
  const Core core = make_core({.build = &release_build(),
                               .script = "heap.py",
                               .words = {"twice", "path=" + extensions.path().string()}});
  const Check whole = check_alone(core);
  EXPECT_EQ(whole.document.at("complete"), true) << whole.document.dump(1);
  fs::remove(extensions.file(name));
  const Check check = check_alone(core);
  EXPECT_EQ(check.document.at("complete"), false) << check.document.dump(1);
  EXPECT_EQ(findings_of(check.document, "unowned_visit").size(), 1U);
  EXPECT_THAT(json(findings_of(check.document, "memory_missing")).dump(), testing::HasSubstr(name));
  EXPECT_GT(check.document.at("objects").at("not_traversed"), 0);

  fs::copy_file("/bin/true", extensions.file(name));
  const Check another = check_alone(core);
  EXPECT_EQ(another.document.at("complete"), false);
  EXPECT_EQ(findings_of(another.document, "build_id_mismatch").size(), 1U)
      << another.document.dump(1);
}

} // namespace
} // namespace pygc::e2e
