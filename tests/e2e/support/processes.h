// Running processes, and cores of the same moment to compare with.
#pragma once

#include "tests/e2e/support/front_ends.h"
#include "tests/e2e/support/interpreter.h"
#include "tests/e2e/support/oracle.h"

namespace pygc::e2e {

/// `pygc check --pid N --json WORDS...`
Check check_process(pid_t pid, const std::vector<std::string>& words = {});

/// A core that GDB takes of the script now.
Core core_of(const RunningScript& script, const InterpreterBuild& build);

/// All that does not depend on how the target was reached is the same.
void expect_same_check(const nlohmann::json& actual, const nlohmann::json& expected);

} // namespace pygc::e2e
