// Builds without a GIL on another machine: every command that asks about the heap, through
// gdbserver in GDB and through lldb-server in LLDB, gives what it gives of the process itself. The
// gigabyte that the allocator reserves stays where it is.
#include "tests/e2e/support/far_away.h"
#include "tests/e2e/support/matrix.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace pygc::e2e {
namespace {

using nlohmann::json;

/// Of the process, whose heap is a few megabytes.
constexpr std::uint64_t most_fetched = std::uint64_t{64} << 20;

const std::vector<std::string> questions = {"object sys.modules",
                                            "why sys.modules",
                                            "types",
                                            "types --retained",
                                            "garbage",
                                            "leaks",
                                            "find --type dict --with-gc-refs"};

std::string file_of(const TempDir& directory, std::size_t question) {
  return directory.file(std::to_string(question) + ".json");
}

/// Each question in the debugger, behind the two of read_with().
Commands asked(const TempDir& directory, const InterpreterBuild& build) {
  Commands commands;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    commands.push_back("pygc " + questions[i] + " --json --output " + file_of(directory, i) + " " +
                       join(build.pygc_options()));
  }
  return commands;
}

/// What does not depend on how the target was reached.
json essence(json document) {
  document.erase("target");
  document.erase("seconds");
  document.erase("scanned_bytes"); // a page that nobody has written to is not read of a process
  return document;
}

void expect_same_answers(const TempDir& directory, const Outcome& outcome, pid_t here,
                         const InterpreterBuild& build) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, questions[i]);
    const json remote = parse_document(read_file(file_of(directory, i)), outcome);
    EXPECT_EQ(remote.at("target").at("kind"), "remote");
    EXPECT_LT(remote.at("target").at("fetched_bytes"), most_fetched);
    std::vector<std::string> words;
    std::istringstream text(questions[i] + " --json --pid " + std::to_string(here) + " " +
                            join(build.pygc_options()));
    for (std::string word; text >> word;) {
      words.push_back(word);
    }
    const Outcome alone = run_pygc(words);
    EXPECT_EQ(essence(remote), essence(parse_document(alone.out, alone)));
  }
}

class MatrixRemote : public MatrixTest {};

TEST_P(MatrixRemote, ThroughGdbserver) {
  examine_build(GetParam(), "gdbserver", [](const MatrixBuild& it) -> std::string {
    if (!it.free_threaded) {
      return {};
    }
    const RunningScript heap({.build = &it.build, .script = "heap.py", .words = {"twice"}});
    const std::string pid = std::to_string(heap.pid());
    const TempDir directory;
    Outcome outcome;
    {
      const Gdbserver server({"--once", "--attach", "PORT", pid});
      Commands commands = server.connect("remote");
      commands.push_back("pygc snapshot --pid " + pid + " --output " + directory.file("core"));
      for (std::string& each : asked(directory, it.build)) {
        commands.push_back(std::move(each));
      }
      const Reading remote = read_in_gdb(it.build, commands, {"detach"});
      outcome = remote.outcome;
      EXPECT_EQ(remote.check.at("target").at("kind"), "remote");
      EXPECT_LT(remote.check.at("target").at("fetched_bytes"), most_fetched);
      // A snapshot is taken where the process is, and by whoever traces it.
      EXPECT_THAT(outcome.out + outcome.err, testing::HasSubstr("is traced already"));
      EXPECT_FALSE(std::filesystem::exists(directory.file("core")));
      expect_same(remote, read_process(heap.pid(), it.build));
    }
    expect_same_answers(directory, outcome, heap.pid(), it.build);
    EXPECT_TRUE(runs_freely(heap.pid()));
    return std::to_string(questions.size() + 2) + " commands";
  });
}

TEST_P(MatrixRemote, ThroughLldbServer) {
  if (!FarAway::is_possible()) {
    GTEST_SKIP() << "PID namespaces need root";
  }
  examine_build(GetParam(), "lldb-server", [](const MatrixBuild& it) -> std::string {
    if (!it.free_threaded) {
      return {};
    }
    FarAway there({.build = &it.build, .script = "heap.py", .words = {"twice"}});
    if (there.wait_for_script() == 0) {
      throw std::runtime_error("the script has not come to its end");
    }
    const TempDir directory;
    Commands commands = there.attach();
    for (std::string& each : asked(directory, it.build)) {
      commands.push_back(std::move(each));
    }
    const Reading remote = read_in_lldb(it.build, commands);
    EXPECT_EQ(remote.check.at("target").at("kind"), "remote");
    EXPECT_LT(remote.check.at("target").at("fetched_bytes"), most_fetched);
    expect_same(remote, read_process(there.pid_here(), it.build));
    expect_same_answers(directory, remote.outcome, there.pid_here(), it.build);
    return std::to_string(questions.size() + 2) + " commands";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixRemote, testing::ValuesIn(one_of_each_kind()),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
