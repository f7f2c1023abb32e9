// A command's surroundings when it runs alone: standard output, standard error, Ctrl-C.
#pragma once

#include "common/target/target.h"

#include <string_view>

namespace pygc::cli {

class TerminalSession final : public target::Session {
public:
  /// Takes SIGINT and SIGTERM over: they ask the command to stop, a second one ends it.
  TerminalSession();

  void output(std::string_view text) override;
  void diagnostics(std::string_view text) override;
  bool cancelled() override;
  /// Numbers in C notation only: there is no debugger to ask. Errors: usage.
  Result<Address> evaluate(std::string_view expression) override;

  /// False once standard output could not be written (a full disk, a closed pipe).
  bool output_ok() const { return output_ok_; }

private:
  bool output_ok_ = true;
};

/// Columns of the terminal on standard output; 80 when it is none.
unsigned terminal_width();

} // namespace pygc::cli
