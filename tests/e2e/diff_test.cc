// `pygc diff` of a process before and after it grew, and of two processes.
#include "tests/e2e/support/explore.h"

#include <chrono>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <thread>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json diff(const std::vector<std::string>& words) {
  std::vector<std::string> all = {"diff", "--json"};
  all.insert(all.end(), words.begin(), words.end());
  const Outcome outcome = run_pygc(all);
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  return parse_document(outcome.out, outcome);
}

json row_of(const json& document, const std::string& type) {
  for (const json& row : document.at("types")) {
    if (row.at("type") == type) {
      return row;
    }
  }
  ADD_FAILURE() << "no row of " << type << " in " << document.dump(1);
  return {};
}

class DiffTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  Core core_of(pid_t pid) const {
    Core core;
    core.directory = std::make_shared<TempDir>();
    core.build = GetParam();
    core.pid = pid;
    take_gcore(core);
    return core;
  }

  /// Returns once the process is done with it.
  void grow() const {
    ASSERT_EQ(::kill(script.pid(), SIGUSR1), 0);
    for (int tries = 0; tries < 100; ++tries) {
      const Outcome outcome = run_pygc({"find", "--pid", std::to_string(script.pid()), "--where",
                                        "type = Session or type = Job", "--json"});
      if (parse_document(outcome.out, outcome).at("count") == 150 + 60) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "it did not grow";
  }

  /// Of the sessions that grow() has made, by the process's own id().
  AddressSet new_sessions() const {
    for (int tries = 0; tries < 100; ++tries) {
      std::istringstream text(read_file(addresses_path_));
      AddressSet found;
      for (std::string line; std::getline(text, line);) {
        found.insert(to_address(line));
      }
      if (found.size() == 100) {
        return found;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ADD_FAILURE() << "no addresses in " << addresses_path_;
    return {};
  }

private:
  TempDir directory_;
  std::string addresses_path_ = directory_.file("addresses");

protected:
  RunningScript script{{.build = GetParam(), .script = "grow.py", .words = {addresses_path_}}};
};

TEST_P(DiffTest, OfOneProcessTellsWhatIsNewAndWhatIsFreed) {
  const Core before = core_of(script.pid());
  grow();
  const Core after = core_of(script.pid());
  const json document = diff({before.path, after.path});
  EXPECT_EQ(document.at("basis"), "exact");
  EXPECT_EQ(document.at("same_process"), true);
  EXPECT_EQ(document.at("kept_basis"), "likely");
  EXPECT_EQ(document.at("old_target").at("core"), before.path);
  EXPECT_EQ(document.at("target").at("core"), after.path);
  const json sessions = row_of(document, "__main__.Session");
  EXPECT_EQ(sessions.at("old_objects"), 50);
  EXPECT_EQ(sessions.at("new_objects"), 150);
  EXPECT_EQ(sessions.at("kept"), 50);
  EXPECT_EQ(sessions.at("new_size").get<int>(), 3 * sessions.at("old_size").get<int>());
  const json jobs = row_of(document, "__main__.Job");
  EXPECT_EQ(jobs.at("old_objects"), 100);
  EXPECT_EQ(jobs.at("new_objects"), 60);
  EXPECT_EQ(jobs.at("kept"), 60);
  // What grew most comes first, and the sums are those of `types`.
  std::int64_t previous = INT64_MAX;
  for (const json& row : document.at("types")) {
    const std::int64_t growth =
        row.at("new_size").get<std::int64_t>() - row.at("old_size").get<std::int64_t>();
    EXPECT_LE(growth, previous);
    previous = growth;
  }
  const Outcome types = run_pygc({"types", after.path, "--json"});
  EXPECT_EQ(document.at("total").at("new_objects"), parse_document(types.out, types).at("objects"));
  EXPECT_EQ(document.at("total").at("new_size"), parse_document(types.out, types).at("size"));
  for (const json& in_debugger : documents_in_debuggers(after, "diff " + before.path)) {
    EXPECT_EQ(in_debugger.at("types"), document.at("types"));
    EXPECT_EQ(in_debugger.at("total"), document.at("total"));
  }
  const Outcome text = run_pygc({"diff", before.path, after.path, "--top", "2"});
  EXPECT_THAT(text.out, HasSubstr("__main__.Session"));
  EXPECT_THAT(text.out, HasSubstr("+100"));
  EXPECT_THAT(text.out, HasSubstr("more types (--top)"));
}

TEST_P(DiffTest, TellsByWhichWaysObjectsAreHeldMore) {
  const Core before = core_of(script.pid());
  grow();
  const Core after = core_of(script.pid());
  EXPECT_EQ(diff({before.path, after.path}).at("ways"), nullptr);
  const json ways = diff({before.path, after.path, "--type", "Session"}).at("ways");
  ASSERT_EQ(ways.size(), 1U) << ways.dump(1);
  EXPECT_EQ(ways.at(0).at("old_objects"), 50);
  EXPECT_EQ(ways.at(0).at("new_objects"), 150);
  EXPECT_THAT(ways.at(0).at("way").get<std::string>(),
              testing::EndsWith("dict of module '__main__' ['SESSIONS'] list [*] Session"));
  EXPECT_EQ(diff({before.path, after.path, "--type", "NoSuchType"}).at("ways"), json::array());
  const Outcome text = run_pygc({"diff", before.path, after.path, "--type", "Job"});
  EXPECT_THAT(text.out, HasSubstr("1 way by which objects of type 'Job'"));
  EXPECT_THAT(text.out, HasSubstr("60, 100 before: "));
}

TEST_P(DiffTest, OfOneProcessListsWhatIsNew) {
  const Core before = core_of(script.pid());
  grow();
  const AddressSet made = new_sessions();
  const Core after = core_of(script.pid());
  const json document = diff({before.path, after.path, "--type", "Session"});
  AddressSet found;
  for (const json& each : document.at("new_objects")) {
    found.insert(to_address(each.get<std::string>()));
  }
  EXPECT_EQ(found, made);
  EXPECT_EQ(diff({before.path, after.path}).at("new_objects"), nullptr);
  // The next command may name one of them by its number.
  const Outcome text = run_pygc({"diff", before.path, after.path, "--type", "Session"});
  EXPECT_THAT(text.out, HasSubstr("100 objects of type 'Session' are new (likely):\n  $1 0x"));
  EXPECT_THAT(text.out, HasSubstr("and 80 more (--top)"));
  const Outcome first = run_pygc({"object", "$1", after.path, "--json"});
  const json object = parse_document(first.out, first).at("object");
  EXPECT_TRUE(made.contains(to_address(object.at("address").get<std::string>()))) << object;
}

TEST_P(DiffTest, OfTwoProcessesCountsOnly) {
  const RunningScript other({.build = GetParam(), .script = "grow.py"});
  const Core before = core_of(other.pid());
  grow();
  const json document =
      diff({before.path, "--pid", std::to_string(script.pid()), "--type", "Session"});
  EXPECT_EQ(document.at("new_objects"), nullptr);
  EXPECT_EQ(document.at("same_process"), false);
  EXPECT_EQ(document.at("kept_basis"), nullptr);
  const json sessions = row_of(document, "__main__.Session");
  EXPECT_EQ(sessions.at("old_objects"), 50);
  EXPECT_EQ(sessions.at("new_objects"), 150);
  EXPECT_EQ(sessions.at("kept"), nullptr);
}

TEST_P(DiffTest, OfACoreWithItselfIsEmpty) {
  const Core core = core_of(script.pid());
  const json document = diff({core.path, core.path});
  EXPECT_TRUE(document.at("types").empty()) << document.dump(1);
  EXPECT_GT(document.at("unchanged"), 10);
  EXPECT_EQ(document.at("total").at("kept"), document.at("total").at("new_objects"));
}

INSTANTIATE_TEST_SUITE_P(Builds, DiffTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
