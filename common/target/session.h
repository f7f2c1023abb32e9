// The user of a command: where its output goes, and what it may ask.
#pragma once

#include "common/base/error.h"

#include <string_view>

namespace pygc::target {

/// What the surroundings of a command offer: a terminal, or a debugger's console.
class Session {
public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// Text for people or for machines, to where the command's output goes.
  virtual void output(std::string_view text) = 0;
  /// Diagnostics (errors, progress).
  virtual void diagnostics(std::string_view text) = 0;
  /// True once the user has asked to stop. Polled all the time: also when progress is shown.
  virtual bool cancelled() = 0;
  /// Whether anybody still waits for the command: not once the debugger has ended it.
  virtual bool listening() const { return true; }
  /// What the command does from here on, for people who wait.
  virtual void progress(std::string_view what) = 0;
  /// Whether progress is to be shown; else it is where there is a terminal.
  virtual void show_progress(bool wanted) = 0;
  /// The value of an expression in the debugger's language; alone: a number in C notation only.
  virtual Result<Address> evaluate(std::string_view expression) = 0;
};

} // namespace pygc::target
