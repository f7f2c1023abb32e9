// Every build of CPython that tools/matrix.sh has got on this machine.
#pragma once

#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/interpreter.h"

#include <compare>
#include <functional>
#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <vector>

namespace pygc::e2e {

struct PythonVersion {
  int major = 0;
  int minor = 0;
  int micro = 0;
  auto operator<=>(const PythonVersion&) const = default;
};

struct MatrixBuild {
  InterpreterBuild build; // its name as tools/matrix.sh lists it: "sid-python3.14d"
  std::string version;    // "3.14.10"
  PythonVersion number;
  bool free_threaded = false;

  /// gh-149590: a faulthandler module visits a file that the runtime owns.
  bool has_faulthandler_bug() const;
  /// Since 3.9 each interpreter has a collector of its own.
  bool has_collector_per_interpreter() const { return number >= PythonVersion{3, 9, 0}; }
  /// "matrix: NAME VERSION CASE: "
  std::string heading(const std::string& name_of_case) const;
};

/// The builds: from PYGC_MATRIX_FILE, the build directory's matrix.txt, or `tools/matrix.sh
/// --list`. PYGC_MATRIX_ONLY, when set, keeps those whose names contain it. Throws when there are
/// none.
const std::vector<MatrixBuild>& matrix();

/// The first of those that are of one minor version, debug or not, with a GIL or without: for what
/// depends on no more than that. All of them where PYGC_TEST_EVERY_BUILD is set (tools/test.sh
/// --every-build), and always those of PYGC_EXTRA_PYTHONS.
const std::vector<MatrixBuild>& one_of_each_kind();

/// Those without a GIL and half of the others: of a minor version the release build or the debug
/// build. What `first` leaves out `second` has, and neighbouring versions differ in which it is.
/// All of them where one_of_each_kind() has all.
enum class Half { first, second };
const std::vector<MatrixBuild>& half_of_the_kinds(Half half);

/// The interpreter of the tree of real packages, release or debug. Throws when there is none.
enum class PackageBuild { release, debug };
const MatrixBuild& package_build(PackageBuild which);
std::string name_of_package_build(const testing::TestParamInfo<PackageBuild>& info);

/// A test for each build: INSTANTIATE_TEST_SUITE_P(Builds, ..., ValuesIn(matrix()), name_of_build)
/// makes them tests of their own, which run side by side.
class MatrixTest : public testing::TestWithParam<MatrixBuild> {};
std::string name_of_build(const testing::TestParamInfo<MatrixBuild>& info);
void PrintTo(const MatrixBuild& build, std::ostream* out);

/// Calls it for the build and prints what it returns behind the build's heading. What it throws is
/// a failure of the test. An empty return: the case is not for that build.
void examine_build(const MatrixBuild& build, const std::string& name_of_case,
                   const std::function<std::string(const MatrixBuild&)>& examine);

/// The interpreter and its libpython without .symtab and .debug_*, in a directory to be used as
/// sysroot.
class StrippedCopy {
public:
  explicit StrippedCopy(const MatrixBuild& build);
  /// Options and environment with which pygc finds no symbol, no debug information and no cache.
  std::vector<std::string> pygc_options() const;
  std::vector<std::string> env() const;

private:
  TempDir directory_;
};

} // namespace pygc::e2e
