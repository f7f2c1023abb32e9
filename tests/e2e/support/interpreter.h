// The interpreters under test, and scripts running in them.
#pragma once

#include "tests/e2e/support/process.h"
#include "tests/e2e/support/temp_dir.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace pygc::e2e {

/// One build of CPython, and how to start it.
struct InterpreterBuild {
  std::string name;                  // for the names of tests: letters, digits and _ only
  std::vector<std::string> command;  // launcher words first, where it needs a launcher
  std::string executable;            // the ELF file that a debugger is told
  std::vector<std::string> env = {}; // "NAME=VALUE"
  std::string sysroot = {};          // where its files lie, when not in this machine's root
  bool debug = false;

  /// The options of pygc that say where its files are.
  std::vector<std::string> pygc_options() const;
  /// Commands that GDB needs before it runs it. Its environment must not become GDB's own, whose
  /// Python would take it.
  std::vector<std::string> gdb_commands() const;
};

/// All of them; a build that the machine lacks is an error here, not a skip.
const std::vector<InterpreterBuild>& interpreters();
const InterpreterBuild& release_build();
const InterpreterBuild& debug_build();

/// How a core came to be.
enum class CoreKind { kernel, gcore };
inline void PrintTo(CoreKind kind, std::ostream* out) {
  *out << (kind == CoreKind::kernel ? "kernel" : "gcore");
}

struct Core {
  std::shared_ptr<TempDir> directory; // holds the core
  std::string path;
  pid_t pid = 0;
  std::vector<std::string> printed; // what the script printed before READY
  const InterpreterBuild* build = nullptr;

  /// The value of a line "NAME VALUE" that the script printed.
  std::string printed_value(const std::string& name) const;
};

struct CoreRequest {
  const InterpreterBuild* build = nullptr;
  std::string script; // a file in tests/e2e/scripts, or an absolute path
  std::vector<std::string> words = {};
  CoreKind kind = CoreKind::gcore;
  std::optional<unsigned> coredump_filter = {};
};

/// Runs the script and takes a core: when it prints READY and waits (gcore), or when it aborts or
/// faults (kernel). Throws when that fails.
Core make_core(const CoreRequest& request);

/// A core, by GDB, of the running process core.pid.
void take_gcore(Core& core);

/// A core, by GDB, of any program that prints READY and waits.
Core make_core_of_program(const std::vector<std::string>& words,
                          const std::vector<std::string>& env = {});

/// A script that printed READY and waits.
class RunningScript {
public:
  explicit RunningScript(const CoreRequest& request);
  pid_t pid() const { return child_.pid(); }
  const std::vector<std::string>& printed() const { return printed_; }

private:
  Child child_;
  std::vector<std::string> printed_;
};

std::string script_path(const std::string& name);

} // namespace pygc::e2e
