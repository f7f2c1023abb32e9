// `pygc audit` of CPython itself and of real packages: what it calls proven is true, and known.
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace pygc::e2e {
namespace {

using nlohmann::json;

/// A traverse function that breaks a rule, as its source shows.
struct KnownViolation {
  std::string rule;
  std::string type; // whose instances show it, or the end of its name
};

const std::vector<KnownViolation>& known_violations() {
  static const std::vector<KnownViolation> known = {
      // CPython. ctypes' StgDict (up to 3.12) inherits the traverse function of dict; StringIO up
      // to 3.11 keeps a list of what was written.
      {"field_not_visited", "StgDict"},
      {"field_not_visited", "_io.StringIO"},
      // ndarray has no traverse function: what a collected subclass has as its base is not visited.
      {"field_not_visited", "MaskedConstant"},
      // Memory views in the fields of classes of Cython.
      {"field_not_visited", "sklearn.metrics._dist_metrics.EuclideanDistance"},
      {"field_not_visited", "sklearn.neighbors._kd_tree.KDTree"},
      // Metatypes whose instances are traversed as those of type, which is not a heap type.
      {"type_not_visited", "_common_types_metatype"},
      {"type_not_visited", "pybind11_type"},
      {"type_not_visited", "pybind11_static_property"},
      {"type_not_visited", "_PyFutureMeta"},
      // Cython 3.1 makes these heap types, but visits types only with CYTHON_USE_TYPE_SPECS.
      {"type_not_visited", "cython_function_or_method"},
      {"type_not_visited", "fused_cython_function"},
      // A tensor that C++ refers to visits nothing, on purpose.
      {"type_not_visited", "Tensor"},
      {"type_not_visited", "Parameter"},
  };
  return known;
}

bool is_known(const json& violation) {
  return std::ranges::any_of(known_violations(), [&](const KnownViolation& known) {
    return violation.at("rule") == known.rule &&
           violation.at("type").get<std::string>().ends_with(known.type);
  });
}

struct Audit {
  json document;
  int status = -1;
};

Audit audit_of(const MatrixBuild& build, const Core& core) {
  std::vector<std::string> words = {"audit", core.path, "--json"};
  const auto options = build.build.pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  return {.document = parse_document(outcome.out, outcome), .status = outcome.status};
}

/// "RULE TYPE" of each proven violation, all of them known.
std::set<std::string> expect_only_known(const MatrixBuild& build, const std::string& name,
                                        const Core& core) {
  const auto [audit, status] = audit_of(build, core);
  EXPECT_EQ(audit.at("complete"), true) << audit.at("incomplete_because");
  std::set<std::string> proven;
  for (const json& function : audit.at("functions")) {
    for (const json& violation : function.at("violations")) {
      if (violation.at("certainty") == "proven") {
        EXPECT_TRUE(is_known(violation)) << function.dump(1);
        proven.insert(violation.at("rule").get<std::string>() + " " +
                      violation.at("type").get<std::string>());
      }
    }
  }
  EXPECT_EQ(status == 1, !proven.empty());
  std::printf("%s%zu functions, %s traversals, %zu violations proven\n",
              build.heading(name).c_str(), audit.at("functions").size(),
              audit.at("traced").dump().c_str(), proven.size());
  for (const std::string& each : proven) {
    std::printf("    %s\n", each.c_str());
  }
  return proven;
}

class MatrixAudit : public MatrixTest {};

TEST_P(MatrixAudit, InterpretersBreakNoUnknownRule) {
  examine_build(GetParam(), "audit", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build,
                                 .script = "matrix_heap.py",
                                 .words = {"packages", "interpreters", "freeze"}});
    expect_only_known(build, "audit", core);
    return std::string();
  });
}

/// Not even likely: reading the source refutes each.
TEST_P(MatrixAudit, WhatIsBorrowedIsNoReference) {
  examine_build(GetParam(), "borrowed words", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "borrowed.py"});
    const json audit = audit_of(build, core).document;
    for (const json& function : audit.at("functions")) {
      for (const json& violation : function.at("violations")) {
        EXPECT_TRUE(is_known(violation)) << function.dump(1);
      }
    }
    return audit.at("traced").dump() + " traversals";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixAudit, testing::ValuesIn(half_of_the_kinds(Half::first)),
                         name_of_build);

class MatrixPackagesAudit : public testing::TestWithParam<PackageBuild> {};

TEST_P(MatrixPackagesAudit, BreaksNoUnknownRule) {
  const MatrixBuild& build = package_build(GetParam());
  const Core core =
      make_core({.build = &build.build,
                 .script = "packages.py",
                 .words = {"numpy", "pandas", "lxml", "scipy", "matplotlib", "sklearn", "torch",
                           "PyQt5", "sqlalchemy", "cryptography", "gevent", "django", "sympy"}});
  const auto proven = expect_only_known(build, "audit of packages", core);
  for (const char* metatype : {"pybind11_type", "pybind11_static_property", "_PyFutureMeta"}) {
    EXPECT_TRUE(proven.contains(std::string("type_not_visited ") + metatype)) << metatype;
  }
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixPackagesAudit,
                         testing::Values(PackageBuild::release, PackageBuild::debug),
                         name_of_package_build);

} // namespace
} // namespace pygc::e2e
