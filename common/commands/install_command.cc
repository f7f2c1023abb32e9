// `pygc install`: the plugins of an unpacked pygc, where this user's debuggers find them.
#include "common/base/file_error.h"
#include "common/base/output_file.h"
#include "common/commands/registry.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <system_error>
#include <vector>

namespace pygc::commands {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark =
    R"(# The next line is of "pygc install"; "pygc install --remove" takes both out.)";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

fs::path user_directory(const char* variable, const char* below_home) {
  const std::string given = environment(variable);
  return given.starts_with('/') ? fs::path(given) : fs::path(environment("HOME")) / below_home;
}

/// What GDB reads when it starts: since GDB 11 the first of these alone, if it is there.
fs::path gdb_init_file() {
  std::error_code ignored;
  const fs::path newer = user_directory("XDG_CONFIG_HOME", ".config") / "gdb/gdbinit";
  return fs::exists(newer, ignored) ? newer : fs::path(environment("HOME")) / ".gdbinit";
}

/// None of a file that is not there.
Result<std::vector<std::string>> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  if (!file && errno != ENOENT) {
    return file_error(path.string(), errno);
  }
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

Result<void> write_lines(const fs::path& path, const std::vector<std::string>& lines) {
  auto file = OutputFile::open(path.string(), 0644);
  if (!file) {
    return std::unexpected(file.error());
  }
  if (auto written =
          file->write(fmt::format("{}{}", fmt::join(lines, "\n"), lines.empty() ? "" : "\n"));
      !written) {
    return written;
  }
  return file->commit();
}

/// Has `file` end with the marked `line`, and with no other that is marked; an empty line: none.
/// Whether that changed it.
Result<bool> set_marked_line(const fs::path& file, const std::string& line) {
  const auto lines = lines_of(file);
  if (!lines) {
    return std::unexpected(lines.error());
  }
  const std::vector<std::string>& before = *lines;
  std::vector<std::string> after;
  for (std::size_t i = 0; i < before.size(); i++) {
    if (before[i] == mark) {
      i++; // and what it speaks of
    } else {
      after.push_back(before[i]);
    }
  }
  if (!line.empty()) {
    after.emplace_back(mark);
    after.push_back(line);
  }
  if (after == before) {
    return false;
  }
  if (auto written = write_lines(file, after); !written) {
    return std::unexpected(written.error());
  }
  return true;
}

class InstallCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_flag("--user", user_, "For this user (default)");
    app.add_flag("--remove", remove_, "Take out what pygc install has put in");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (!environment("HOME").starts_with('/')) {
      return fail(ErrorKind::usage, 0, "HOME names no directory");
    }
    const fs::path prefix = fs::path(surroundings.share_directory).parent_path().parent_path();
    const fs::path plugin = prefix / "lib/lldb/plugins" / "libpygc-lldb.so";
    const fs::path script = fs::path(surroundings.share_directory) / "pygc.gdb";
    // Not a link in ~/.local/share/lldb: LLDB looks there only where XDG_DATA_HOME is set.
    const fs::path lldb_init = fs::path(environment("HOME")) / ".lldbinit";
    if (auto done = tell("LLDB", lldb_init, plugin,
                         fmt::format("plugin load \"{}\"", plugin.string()), surroundings);
        !done) {
      return std::unexpected(done.error());
    }
    if (auto done = tell("GDB", gdb_init_file(), script, "source " + script.string(), surroundings);
        !done) {
      return std::unexpected(done.error());
    }
    return status_clean;
  }

private:
  /// Has what the debugger reads when it starts end with the line that loads `part`, or not.
  Result<void> tell(const char* debugger, const fs::path& file, const fs::path& part,
                    const std::string& line, session::Surroundings& surroundings) const {
    std::error_code code;
    std::string done;
    if (!remove_ && !fs::exists(part, code)) {
      done = fmt::format("left out, there is no {}", part.string());
    } else if (remove_ && !fs::exists(file, code)) {
      done = fmt::format("there is no {}", file.string());
    } else {
      const auto changed = set_marked_line(file, remove_ ? "" : line);
      if (!changed) {
        return std::unexpected(changed.error());
      }
      done = file.string() + (remove_
                                  ? (*changed ? " no longer loads pygc" : " did not load pygc")
                                  : (*changed ? " now ends with: " + line : " loads pygc already"));
    }
    surroundings.session.output(fmt::format("{}: {}\n", debugger, done));
    return {};
  }

  bool user_ = false;
  bool remove_ = false;
};

const Registration install_registration({
    .place = 130,
    .name = "install",
    .summary = "Have this user's GDB and LLDB load pygc by themselves",
    .help = R"(Adds a marked line to ~/.lldbinit, which loads the plugin, and one to ~/.gdbinit
(or the gdbinit that GDB reads in its place), which sources pygc.gdb. For a pygc
that was unpacked or built; a package of the system needs none of it. A second
time does no harm, and after pygc was moved it mends both.

Examples:
  pygc install
  pygc install --remove)",
    .make = make<InstallCommand>,
});

} // namespace

} // namespace pygc::commands
