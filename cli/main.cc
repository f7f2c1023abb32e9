// The `pygc` executable: alone, and as the analysis that a debugger's plugin starts.
#include "cli/install_paths.h"
#include "cli/serve.h"
#include "cli/terminal_session.h"
#include "common/base/numbers.h"
#include "common/commands/reference.h"
#include "common/commands/registry.h"
#include "common/commands/shrunk_file.h"
#include "common/protocol/wire.h"
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_messages.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace pygc::cli {
namespace {

constexpr std::string_view serve_option = "--serve=";
// Of the build: manual pages and completions, below a directory.
constexpr std::string_view reference_option = "--write-reference=";

int run_alone(const std::vector<std::string>& words) {
  TerminalSession session;
  const bool no_colour = std::getenv("NO_COLOR") != nullptr;
  session::Surroundings surroundings{.session = session,
                                     .open_target = {},
                                     .executable = {},
                                     .sysroot = {},
                                     .replayer_directory = replayer_directory(),
                                     .share_directory = share_directory(),
                                     .terminal = ::isatty(STDOUT_FILENO) == 1 && !no_colour,
                                     .width = terminal_width(),
                                     .controls = false,
                                     .actions = {},
                                     .words = words};
  const int status = commands::run_words(words, surroundings);
  if (!session.output_ok() && status != commands::status_error) {
    session.diagnostics("pygc: cannot write to standard output\n");
    return commands::status_error;
  }
  return status;
}

/// The number behind an option that a plugin gives; nothing when it is none.
std::optional<int> descriptor(std::string_view word, std::string_view option) {
  const auto fd = number_in<int>(word.substr(option.size()));
  return fd && *fd >= 0 ? fd : std::nullopt;
}

int tell_commands(int fd) {
  ::signal(SIGPIPE, SIG_IGN);
  wire::CommandTable table{.family = std::string(commands::family_summary), .commands = {}};
  const auto options = commands::option_texts();
  for (const commands::Entry& entry : commands::registered_commands()) {
    const std::string name(entry.name);
    const auto own = options.find(name);
    table.commands.push_back(
        {.name = name,
         .summary = std::string(entry.summary),
         .help = std::string(entry.help),
         .options = own != options.end() ? own->second : std::vector<std::string>{}});
  }
  wire::Channel channel{UniqueFd(fd)};
  return channel.send(wire::Type::commands, wire::encode_commands(table)) ? commands::status_clean
                                                                          : commands::status_error;
}

int write_reference(const std::filesystem::path& directory) {
  for (const auto& [name, text] : commands::reference_files(PYGC_VERSION)) {
    std::error_code error;
    std::filesystem::create_directories((directory / name).parent_path(), error);
    std::ofstream file(directory / name, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
      fmt::print(stderr, "pygc: cannot write {}\n", (directory / name).string());
      return commands::status_error;
    }
  }
  return commands::status_clean;
}

int run(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const std::string first = words.empty() ? "" : words.front();
  if (first.starts_with(reference_option)) {
    return write_reference(first.substr(reference_option.size()));
  }
  for (const std::string_view option : {serve_option, wire::commands_option}) {
    if (!first.starts_with(option)) {
      continue;
    }
    const std::optional<int> fd = descriptor(first, option);
    if (!fd) {
      fmt::print(stderr, "pygc: {} is for the debuggers' plugins\n",
                 option.substr(0, option.size() - 1));
      return commands::status_error;
    }
    if (option == wire::commands_option) {
      return tell_commands(*fd);
    }
    return serve(*fd);
  }
  return run_alone(words);
}

} // namespace
} // namespace pygc::cli

int main(int argc, char** argv) {
  pygc::commands::end_when_a_file_shrinks();
  return pygc::cli::run(argc, argv);
}
