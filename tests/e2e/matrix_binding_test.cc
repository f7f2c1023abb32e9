// Classes whose traverse functions a generator or a library of bindings wrote: right ones, of which
// nothing may be said, on every build of the matrix.
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>

namespace pygc::e2e {
namespace {

using nlohmann::json;

/// The tree that has Cython, pybind11 and nanobind.
std::string generators_root() {
  const auto lines = split_lines(run({.words = {PYGC_MATRIX_SCRIPT, "--list-generators"}}).out);
  if (lines.empty()) {
    throw std::runtime_error("there is no tree of generators: run tools/matrix.sh");
  }
  return lines.front();
}

std::string source_of(const std::string& name) {
  return std::string(PYGC_E2E_DIR) + "/extensions/" + name;
}

/// Cython's translation, by the interpreter of its own tree.
void translate(const std::string& root, const std::string& source, const std::string& to) {
  const std::string libraries = root + "/usr/lib/x86_64-linux-gnu";
  const std::string python = std::filesystem::canonical(root + "/usr/bin/python3").string();
  const Outcome outcome = run({.words = {libraries + "/ld-linux-x86-64.so.2", "--library-path",
                                         libraries, python, "-m", "cython", source, "-o", to},
                               .env = {"PYTHONHOME=" + root + "/usr"}});
  if (outcome.status != 0) {
    throw std::runtime_error("Cython failed: " + outcome.out + outcome.err);
  }
}

struct Bindings {
  TempDir directory;
  std::vector<std::string> names;
};

void compile(const MatrixBuild& build, Bindings& to) {
  const std::string root = generators_root();
  const std::string directory = to.directory.path().string();
  const std::string translated = to.directory.file("cython_class.c");
  translate(root, source_of("cython_class.pyx"), translated);
  compile_extension(build.build, translated, directory, "cython_class", {"-O1"});
  to.names = {"cython_class"};
  // pybind11 3.1 and nanobind 2 begin with CPython 3.9.
  if (build.number < PythonVersion{3, 9, 0}) {
    return;
  }
  const std::string nanobind = root + "/usr/share/nanobind";
  const std::vector<std::string> options = {
      "-std=c++17",          "-O1", "-fvisibility=hidden", "-idirafter",
      root + "/usr/include", "-I",  nanobind + "/include"};
  compile_extension(build.build, source_of("pybind11_class.cc"), directory, "pybind11_class",
                    options);
  std::vector<std::string> with_library = options;
  with_library.push_back(nanobind + "/src/nb_combined.cpp");
  if (build.free_threaded) {
    with_library.emplace_back("-DNB_FREE_THREADED");
  }
  compile_extension(build.build, source_of("nanobind_class.cc"), directory, "nanobind_class",
                    with_library);
  to.names.insert(to.names.end(), {"pybind11_class", "nanobind_class"});
}

/// Those of one minor version: a debug build loads what was compiled for a release build.
using MinorVersion = int;

std::vector<MinorVersion> minor_versions() {
  std::set<MinorVersion> minors;
  for (const MatrixBuild& build : matrix()) {
    minors.insert(build.number.minor);
  }
  return {minors.begin(), minors.end()};
}

class MatrixBinding : public testing::TestWithParam<MinorVersion> {};

TEST_P(MatrixBinding, ClassesAreClean) {
  std::map<bool, std::unique_ptr<Bindings>> compiled; // a free-threaded build has an ABI of its own
  for (const MatrixBuild& each : matrix()) {
    if (each.number.minor != GetParam()) {
      continue;
    }
    examine_build(each, "bindings", [&](const MatrixBuild& build) {
      std::unique_ptr<Bindings>& bindings = compiled[build.free_threaded];
      if (bindings == nullptr) {
        auto fresh = std::make_unique<Bindings>();
        compile(build, *fresh);
        bindings = std::move(fresh);
      }
      std::vector<std::string> words = {"path=" + bindings->directory.path().string()};
      words.insert(words.end(), bindings->names.begin(), bindings->names.end());
      const Core core = make_core({.build = &build.build, .script = "bindings.py", .words = words});
      const Check check = check_alone(core, build.build.pygc_options());
      EXPECT_EQ(check.status, 0) << check.document.dump(1);
      EXPECT_EQ(check.document.at("verdict"), "clean") << check.document.dump(1);
      EXPECT_EQ(check.document.at("complete"), true) << check.document.dump(1);
      EXPECT_EQ(core.printed.size(), bindings->names.size());
      return "clean: " + join(bindings->names);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, MatrixBinding, testing::ValuesIn(minor_versions()),
                         [](const auto& it) { return "python3_" + std::to_string(it.param); });

} // namespace
} // namespace pygc::e2e
