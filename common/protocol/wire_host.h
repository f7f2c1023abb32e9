// The plugin's side of a command: starts the analysis (the `pygc` executable), or takes the one
// that waits since the last command, and serves it the debugger's target until it is done. However
// the analysis ends (done, crash, hang, nonsense on the socket), the debugger goes on and nothing
// of the analysis stays behind but, when all went well, the one that waits.
#pragma once

#include "common/base/unique_fd.h"
#include "common/protocol/wire_files.h"
#include "common/protocol/wire_messages.h"
#include "common/protocol/wire_peer.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::wire {

inline constexpr int status_failed = 2;
/// An analysis that puts out more is ended: that belongs in a file (--output).
inline constexpr std::size_t max_output = std::size_t{16} << 20;

/// What a debugger offers to an analysis. Any of these may throw the debugger's own exceptions: the
/// analysis is then ended at once and the exception goes on.
class Host {
public:
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  virtual ~Host() = default;

  virtual void output(std::string_view text) = 0;
  virtual void diagnostics(std::string_view text) = 0;
  /// A line for people who wait. `wanted`: they asked for it; else only where a terminal shows it.
  virtual void progress(std::string_view line, bool wanted) = 0;
  /// The output went beyond max_output: what the host keeps of it need not be shown in full.
  virtual void output_refused() = 0;
  /// All or nothing.
  virtual bool read(Address address, std::byte* to, std::size_t size) = 0;
  /// Nothing: not known yet; the run ends (Outcome::again), to be repeated once it is.
  virtual std::optional<ThreadsAnswer> threads() = 0;
  virtual MappingsAnswer mappings() = 0;
  /// Nothing: as for threads(). Asked only about what the user typed.
  virtual std::optional<EvaluateAnswer> evaluate(const std::string& expression) = 0;
  /// Whether the user has asked to stop.
  virtual bool interrupted() = 0;
  /// Called ten times a second; false ends the analysis the hard way.
  virtual bool idle() = 0;
};

struct Launch {
  std::string executable = {}; // the analysis
  Hello hello;                 // has_backing is set from `backing`
  UniqueFd backing;            // the core file or /proc/PID/mem, if there is one
};

/// Makes the core the target of the launch. It stands still as long as its file is the same.
void hand_over(OpenFile core, Launch& launch);
/// Hello::stop_id where the debugger has no target that could move.
inline constexpr const char* stop_id_without_target = "none";

struct Outcome {
  int status = status_failed;
  std::vector<Action> actions = {}; // for the debugger to carry out
  bool again = false;               // a question must be answered first; the output so far is void
};

/// Without a stop id (Hello) the analysis is started for this command alone.
Outcome run_analysis(const Launch& launch, Host& host, KeptAnalysis& kept);

/// The analysis that belongs to the library (or program) which holds `symbol`: $PYGC_EXECUTABLE,
/// else bin/pygc beside or above the library's directory, else plain "pygc" to be found in PATH.
std::string find_analysis(const void* symbol);

/// Where that library lies.
std::string library_path(const void* symbol);

/// The terminal's width, 0 when standard output is none.
std::uint32_t terminal_columns();

/// Shows a line of progress on standard error, in place on a terminal, and takes it back at the
/// end.
class ProgressLine {
public:
  ProgressLine() = default;
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }
  void show(std::string_view line, bool wanted);
  void clear();

private:
  bool shown_ = false;
};

} // namespace pygc::wire
