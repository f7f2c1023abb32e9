// Programs that a test runs: to their end, or in the background.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace pygc::e2e {

struct Command {
  std::vector<std::string> words;
  /// "NAME=VALUE" on top of the test's own environment, or "NAME" to remove one.
  std::vector<std::string> env = {};
  std::string cwd = {};
  std::chrono::seconds timeout{120};
  bool core_unlimited = false;
  std::optional<unsigned> coredump_filter = {};
  /// Runs as this user and group, where not 0.
  uid_t user = 0;
  /// Standard input is what Child::type() gives; else it is empty.
  bool typed = false;
  /// Without them debuggers can set hardware watchpoints, but none ever fires.
  bool debug_registers = true;
};

struct Outcome {
  int status = -1; // exit status; -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;
  rusage usage{};
  double seconds = 0;
  pid_t pid = 0;
  /// Processes that it started and that still ran two seconds after its end.
  std::vector<std::string> survivors;
};

Outcome run(const Command& command);

/// A program in the background; killed with its group when the object goes.
class Child {
public:
  explicit Child(const Command& command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  /// Reads standard output until a whole line equals `line`; all lines before it are returned.
  /// Empty when the program ended or the time is over first.
  std::optional<std::vector<std::string>> read_until(const std::string& line,
                                                     std::chrono::seconds timeout);
  /// Waits for the end.
  Outcome wait(std::chrono::seconds timeout);
  void send(int signal) const;
  /// A line of standard input, of a command that is `typed`.
  void type(const std::string& line) const;

private:
  void drain(int milliseconds);

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string out_text_;
  std::string err_text_;
  std::chrono::steady_clock::time_point started_;
};

std::vector<std::string> split_lines(const std::string& text);
std::string join(const std::vector<std::string>& words);

} // namespace pygc::e2e
