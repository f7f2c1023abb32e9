// The signal that ended the target, and what was being done then.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/cpython/collector/crash_stack.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct CrashFacts {
  std::uint64_t tid = 0;
  int signal = 0;
  bool unwound = false; // else nothing below
  cpython::CrashStack stack;
  std::vector<std::string> functions; // the frames, innermost first
  std::string caller;                 // who called for the deed
  std::string caller_module;          // its file
  std::string caller_line;            // where it is declared, "file.c:12"; may be empty
  std::string called;                 // what was called in the course of it, if anything was:
                                      // an extension's function before the interpreter's
  std::string called_module;
  std::string called_line;
  bool stack_overflow = false;
  std::size_t repeated = 0; // of `functions`, how many are `called`, or the innermost
};

/// The thread that a signal which tells of a defect has ended or stopped; null: none.
const target::Thread* crashed_thread(const CheckInput& input);

/// Nothing when no thread has a signal that tells of a defect.
std::optional<CrashFacts> gather_crash(const CheckInput& input);

} // namespace pygc::analysis
