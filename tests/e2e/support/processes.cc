#include "tests/e2e/support/processes.h"

#include <gtest/gtest.h>

namespace pygc::e2e {

Check check_process(pid_t pid, const std::vector<std::string>& words) {
  std::vector<std::string> all = {"check", "--pid", std::to_string(pid), "--json"};
  all.insert(all.end(), words.begin(), words.end());
  Check check;
  check.outcome = run_pygc(all);
  check.status = check.outcome.status;
  check.document = parse_document(check.outcome.out, check.outcome);
  return check;
}

Core core_of(const RunningScript& script, const InterpreterBuild& build) {
  Core core;
  core.directory = std::make_shared<TempDir>();
  core.build = &build;
  core.pid = script.pid();
  core.printed = script.printed();
  take_gcore(core);
  return core;
}

void expect_same_check(const nlohmann::json& actual, const nlohmann::json& expected) {
  for (const char* part :
       {"python", "collection", "interpreters", "objects", "complete", "verdict", "findings"}) {
    EXPECT_EQ(actual.at(part), expected.at(part)) << part;
  }
}

} // namespace pygc::e2e
