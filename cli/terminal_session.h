// A command's surroundings when it runs alone: standard output, standard error, Ctrl-C.
#pragma once

#include "common/target/progress.h"
#include "common/target/session.h"

#include <string_view>

namespace pygc::cli {

class TerminalSession final : public target::Session {
public:
  /// Takes SIGINT and SIGTERM over: they ask the command to stop. A second one ends it, and so does
  /// a command that does not stop within two seconds.
  TerminalSession();

  void output(std::string_view text) override;
  void diagnostics(std::string_view text) override;
  bool cancelled() override;
  void progress(std::string_view what) override { progress_.set(what); }
  void show_progress(bool wanted) override { shows_progress_ = wanted; }
  /// Numbers in C notation only: there is no debugger to ask. Errors: usage.
  Result<Address> evaluate(std::string_view expression) override;

  /// False once standard output could not be written (a full disk); a pipe whose reader has gone
  /// away is none of that.
  bool output_ok() const { return output_ok_; }

private:
  void clear_line();

  bool output_ok_ = true;
  bool terminal_;       // on standard error
  bool shows_progress_; // there
  bool line_shown_ = false;
  target::Progress progress_{target::Progress::Clock::now()};
};

/// Columns of the terminal on standard output; 80 when it is none.
unsigned terminal_width();

} // namespace pygc::cli
