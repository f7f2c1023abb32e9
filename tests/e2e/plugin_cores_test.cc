// What both plugins hand over of a core, with an analysis that says what it was given.
#include "tests/e2e/support/live.h"
#include "tests/e2e/support/plugin_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PluginOnCores : public testing::TestWithParam<Debugger> {
protected:
  static std::string check(const DebuggerTarget& on) {
    return run_in(GetParam(), on, {"pygc check"}, with_fake_analysis()).out;
  }

  PluginTarget target;
};

INSTANTIATE_TEST_SUITE_P(Debuggers, PluginOnCores, testing::Values(Debugger::gdb, Debugger::lldb),
                         [](const auto& param) { return debugger_name(param.param); });

TEST_P(PluginOnCores, HandsOverOneOfGcore) {
  const Core core = make_core_of_program({target.executable, "--target"});
  EXPECT_THAT(check({.executable = target.executable, .core = core.path}),
              AllOf(HasSubstr("kind core"), HasSubstr("core " + core.path + "\n"),
                    HasSubstr("backing is ELF\n")));
}

TEST_P(PluginOnCores, NeedsNoExecutable) {
  EXPECT_THAT(check({.executable = {}, .core = target.core}),
              AllOf(HasSubstr("kind core"), HasSubstr("backing is ELF\n")));
}

} // namespace
} // namespace pygc::e2e
