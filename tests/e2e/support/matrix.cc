#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

namespace fs = std::filesystem;

std::string matrix_text() {
  const char* named = std::getenv("PYGC_MATRIX_FILE");
  const std::string file = named != nullptr ? named : PYGC_MATRIX_FILE;
  if (named != nullptr || fs::exists(file)) {
    return read_file(file);
  }
  return run({.words = {PYGC_MATRIX_SCRIPT, "--list"}}).out;
}

MatrixBuild parse_line(const std::string& line) {
  std::istringstream words(line);
  MatrixBuild it;
  std::string root;
  char dot = 0;
  words >> it.build.name >> it.version >> it.build.executable >> root;
  std::istringstream(it.version) >> it.number.major >> dot >> it.number.minor >> dot >>
      it.number.micro;
  if (root.empty() || it.number.major != 3 || !fs::exists(it.build.executable)) {
    throw std::runtime_error("not a line of tools/matrix.sh: " + line);
  }
  it.build.debug = it.build.executable.ends_with('d');
  it.free_threaded = it.build.executable.ends_with('t') || it.build.executable.ends_with("td");
  if (root == "-") {
    it.build.command = {it.build.executable};
    return it;
  }
  const std::string libraries = root + "/usr/lib/x86_64-linux-gnu";
  it.build.sysroot = root;
  it.build.env = {"PYTHONHOME=" + root + "/usr"};
  it.build.command = {libraries + "/ld-linux-x86-64.so.2", "--library-path",
                      libraries + ":" + libraries + "/blas:" + libraries + "/lapack:" + root +
                          "/usr/lib",
                      it.build.executable};
  return it;
}

void strip(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  const Outcome outcome =
      run({.words = {"strip", "--strip-all", "-o", to.string(), from.string()}});
  if (outcome.status != 0) {
    throw std::runtime_error("strip failed: " + outcome.err);
  }
}

bool every_build_is_asked_for() {
  const char* every = std::getenv("PYGC_TEST_EVERY_BUILD");
  return every != nullptr && *every != '\0';
}

} // namespace

bool MatrixBuild::has_faulthandler_bug() const {
  return number.minor < 13 || (number.minor == 13 && number.micro < 14) ||
         (number.minor == 14 && number.micro < 6);
}

std::string MatrixBuild::heading(const std::string& name_of_case) const {
  return "matrix: " + build.name + " " + version + " " + name_of_case + ": ";
}

const std::vector<MatrixBuild>& matrix() {
  static const std::vector<MatrixBuild> builds = [] {
    const char* only = std::getenv("PYGC_MATRIX_ONLY");
    std::vector<MatrixBuild> all;
    for (const std::string& line : split_lines(matrix_text())) {
      MatrixBuild build = parse_line(line);
      if (only == nullptr || build.build.name.find(only) != std::string::npos) {
        all.push_back(std::move(build));
      }
    }
    if (all.empty()) {
      throw std::runtime_error("the matrix has no build: run tools/matrix.sh");
    }
    return all;
  }();
  return builds;
}

const std::vector<MatrixBuild>& one_of_each_kind() {
  static const std::vector<MatrixBuild> builds = [] {
    std::vector<MatrixBuild> chosen;
    for (const MatrixBuild& build : matrix()) {
      const bool alike = std::ranges::any_of(chosen, [&](const MatrixBuild& other) {
        return other.number.minor == build.number.minor && other.build.debug == build.build.debug &&
               other.free_threaded == build.free_threaded;
      });
      const bool asked_for = build.build.name.starts_with("extra-");
      if (!alike || asked_for || every_build_is_asked_for()) {
        chosen.push_back(build);
      }
    }
    return chosen;
  }();
  return builds;
}

const std::vector<MatrixBuild>& half_of_the_kinds(Half half) {
  static const std::array<std::vector<MatrixBuild>, 2> halves = [] {
    std::array<std::vector<MatrixBuild>, 2> chosen;
    // Few builds, or those that were asked for by name, are not divided.
    const bool undivided = one_of_each_kind().size() < 4 || every_build_is_asked_for() ||
                           std::getenv("PYGC_MATRIX_ONLY") != nullptr;
    for (const MatrixBuild& build : one_of_each_kind()) {
      const bool in_both =
          undivided || build.free_threaded || build.build.name.starts_with("extra-");
      const auto side = static_cast<std::size_t>(build.number.minor + (build.build.debug ? 1 : 0));
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (in_both || side % 2 == i) {
          chosen.at(i).push_back(build);
        }
      }
    }
    return chosen;
  }();
  return halves.at(half == Half::first ? 0 : 1);
}

const MatrixBuild& package_build(PackageBuild which) {
  static const std::vector<MatrixBuild> builds = [] {
    std::vector<MatrixBuild> all;
    for (const std::string& line :
         split_lines(run({.words = {PYGC_MATRIX_SCRIPT, "--list-packages"}}).out)) {
      all.push_back(parse_line(line));
    }
    return all;
  }();
  const auto found = std::ranges::find(builds, which == PackageBuild::debug,
                                       [](const MatrixBuild& each) { return each.build.debug; });
  if (found == builds.end()) {
    throw std::runtime_error("the tree of real packages is not there or not whole: run "
                             "tools/matrix.sh");
  }
  return *found;
}

std::string name_of_package_build(const testing::TestParamInfo<PackageBuild>& info) {
  return info.param == PackageBuild::debug ? "debug" : "release";
}

std::string name_of_build(const testing::TestParamInfo<MatrixBuild>& info) {
  std::string name = info.param.build.name;
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

void PrintTo(const MatrixBuild& build, std::ostream* out) {
  *out << build.build.name;
}

void examine_build(const MatrixBuild& build, const std::string& name_of_case,
                   const std::function<std::string(const MatrixBuild&)>& examine) {
  const std::string heading = build.heading(name_of_case);
  const testing::ScopedTrace trace(__FILE__, __LINE__, heading);
  try {
    if (const std::string said = examine(build); !said.empty()) {
      std::printf("%s%s\n", heading.c_str(), said.c_str());
    }
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
    std::printf("%sfailed\n", heading.c_str());
  }
  std::fflush(stdout);
}

StrippedCopy::StrippedCopy(const MatrixBuild& build) {
  const fs::path executable = build.build.executable;
  const fs::path root = directory_.path();
  strip(executable, root / executable.relative_path());
  const fs::path libraries = executable.parent_path().parent_path() / "lib";
  if (build.build.sysroot.empty() && fs::is_directory(libraries)) {
    for (const auto& entry : fs::directory_iterator(libraries)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("libpython3") && name.find(".so.") != std::string::npos) {
        strip(entry.path(), root / entry.path().relative_path());
      }
    }
  }
}

std::vector<std::string> StrippedCopy::pygc_options() const {
  return {"--sysroot", directory_.path().string(), "--debug-directory", "/nonexistent",
          "--no-debuginfod"};
}

std::vector<std::string> StrippedCopy::env() const {
  return {"PYGC_CACHE_DIR=" + directory_.file("cache")};
}

} // namespace pygc::e2e
