// References that no container has, planted in each kind of place: `pygc why` names it, and `pygc
// leaks` calls none of them a leak. And leaks that are planted, on every build of the matrix.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Whether or not there are any.
json leaks_of(const Core& core) {
  std::vector<std::string> words = {"leaks", core.path, "--json"};
  const auto options = core.build->pygc_options();
  words.insert(words.end(), options.begin(), options.end());
  const Outcome outcome = run_pygc(words);
  return parse_document(outcome.out, outcome);
}

class MatrixHolders : public MatrixTest {};

/// The root of that kind with such a name, of the object that the script has told under `told`.
void expect_root(const Core& core, const std::string& told, const std::string& kind,
                 const std::string& name) {
  const testing::ScopedTrace trace(__FILE__, __LINE__, told);
  const json document = document_alone(core, {"why", core.printed_value(told), "-n", "20"});
  EXPECT_EQ(document.at("unreachable"), 0);
  bool found = false;
  for (const json& path : document.at("paths")) {
    for (const json& root : path.at("roots")) {
      const json& text = root.at("name");
      found = found || (root.at("kind") == kind &&
                        (name.empty() || (text.is_string() && text.get<std::string>().find(name) !=
                                                                  std::string::npos)));
    }
  }
  EXPECT_TRUE(found) << "no " << kind << " '" << name << "' in " << document.dump(1);
}

TEST_P(MatrixHolders, AreNamed) {
  examine_build(GetParam(), "holders", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build,
                                 .script = "holders.py",
                                 .words = {build_extensions(build.build, {"holders"})}});
    expect_root(core, "static", "static", "in_static");
    expect_root(core, "block", "memory", "");
    expect_root(core, "stack", "stack", "");
    // To 3.10 frames are objects, which are no roots but steps.
    if (build.number >= PythonVersion{3, 11, 0}) {
      expect_root(core, "local", "frame", "work()");
      expect_root(core, "thread", "frame", "worker()");
    }
    const json leaks = leaks_of(core);
    for (const json& group : leaks.at("groups")) {
      EXPECT_THAT(group.at("type").get<std::string>(),
                  testing::Not(testing::AnyOf(HasSubstr("In"), HasSubstr("OnStack"))))
          << group.dump(1);
    }
    return std::string("static, block, C stack, locals of two threads");
  });
}

TEST_P(MatrixHolders, AreMissedWhereALeakWasPlanted) {
  examine_build(GetParam(), "planted leaks", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build,
                                 .script = "leaks.py",
                                 .words = {"path=" + build_extensions(build.build, {"leaky"})}});
    const json document = leaks_of(core);
    EXPECT_TRUE(document.at("complete")) << document.at("incomplete_because");
    std::uint64_t lost = 0;
    std::uint64_t held = 0;
    for (const json& group : document.at("groups")) {
      const auto type = group.at("type").get<std::string>();
      const auto objects = group.at("objects").get<std::uint64_t>();
      if (type == "Lost" && group.at("kind") == "refleak") {
        lost += objects;
      } else if (type == "Program" && group.at("kind") == "nogc_holder") {
        held += objects;
        EXPECT_EQ(group.at("holder_type"), "leaky.Lazy");
      } else {
        // CPython 3.8 itself loses one: _PyWarnings_Init() in main (Python/pylifecycle.c).
        EXPECT_TRUE(type == "module" && build.number < PythonVersion({3, 9, 0})) << group.dump(1);
      }
    }
    // Stale words may hide some, and none is told that was not planted.
    EXPECT_GE(lost, 40U) << document.dump(1);
    EXPECT_LE(lost, 50U);
    EXPECT_GE(held, 25U) << document.dump(1);
    EXPECT_LE(held, 30U);
    return std::to_string(lost) + " of 50 lost, " + std::to_string(held) + " of 30 held";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixHolders, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
