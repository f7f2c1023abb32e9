#include "common/protocol/wire_commands.h"

#include "common/protocol/wire.h"
#include "common/protocol/wire_process.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sys/socket.h>

namespace pygc::wire {
namespace {

constexpr std::size_t most_commands = 200;
constexpr std::size_t longest_name = 32;
constexpr std::size_t parts_of_command = 4;
constexpr int table_fd = 3;
constexpr std::chrono::seconds patience{10};
constexpr int ending_milliseconds = 200;

bool is_shown(std::string_view text, bool lines) {
  return std::ranges::none_of(text, [lines](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && !(lines && c == '\n')) || byte == 0x7f;
  });
}

bool has_line_end(std::string_view text) {
  return ("\n" + std::string(text) + "\n").find("\nend\n") != std::string::npos;
}

/// Nothing that means anything to a debugger's script, or to Python's.
bool is_option(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_=| ").contains(c);
  });
}

std::vector<std::string> split(std::string_view payload, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = payload.find(separator);
    parts.emplace_back(payload.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    payload.remove_prefix(end + 1);
  }
}

std::string lines(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    joined += (joined.empty() ? "" : "\n") + text;
  }
  return joined;
}

} // namespace

bool is_command_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

std::string encode_commands(const CommandTable& table) {
  std::string payload = table.family;
  for (const Command& command : table.commands) {
    const std::string options = lines(command.options);
    for (const std::string* text : {&command.name, &command.summary, &command.help, &options}) {
      payload += '\0';
      payload += *text;
    }
  }
  return payload;
}

Result<CommandTable> decode_commands(std::string_view payload) {
  const std::vector<std::string> parts = split(payload, '\0');
  if (parts.size() % parts_of_command != 1 || parts.size() / parts_of_command > most_commands ||
      parts.size() == 1) {
    return fail(ErrorKind::protocol, 0, "the table of commands is not whole");
  }
  CommandTable table{.family = parts.front(), .commands = {}};
  bool shown = is_shown(table.family, false);
  for (std::size_t i = 1; i < parts.size(); i += parts_of_command) {
    Command command{.name = parts[i], .summary = parts[i + 1], .help = parts[i + 2]};
    if (!parts[i + 3].empty()) {
      command.options = split(parts[i + 3], '\n');
    }
    if (!std::ranges::all_of(command.options, is_option)) {
      return fail(ErrorKind::protocol, 0, "the table of commands has an option that is none");
    }
    shown = shown && is_shown(command.summary, false) && is_shown(command.help, true) &&
            !has_line_end(command.summary) && !has_line_end(command.help);
    if (!is_command_name(command.name)) {
      return fail(ErrorKind::protocol, 0, "the table of commands has a name that is none");
    }
    table.commands.push_back(std::move(command));
  }
  if (!shown) {
    return fail(ErrorKind::protocol, 0, "the table of commands has texts that cannot be shown");
  }
  return table;
}

Result<CommandTable> ask_commands(const std::string& executable) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(ErrorKind::io, 0,
                std::string("cannot make a socket for the analysis: ") + std::strerror(errno));
  }
  Channel channel{UniqueFd(ends[0])};
  UniqueFd its_end(ends[1]);
  ChildProcess child;
  if (auto started =
          child.start(executable, {std::string(commands_option) + std::to_string(table_fd)},
                      its_end.get(), table_fd);
      !started) {
    return std::unexpected(started.error());
  }
  its_end.reset();
  const auto until = std::chrono::steady_clock::now() + patience;
  auto message = channel.receive([until] { return std::chrono::steady_clock::now() < until; });
  child.end(ending_milliseconds);
  if (!message) {
    const std::string said = child.last_words();
    return fail(message.error().kind, 0,
                "the analysis " + executable + " does not tell its commands: " +
                    (said.empty() ? message.error().reason : said.substr(0, said.find('\n'))));
  }
  if (message->type != Type::commands || !message->descriptors.empty()) {
    return fail(ErrorKind::protocol, 0,
                "the analysis " + executable + " does not tell its commands");
  }
  return decode_commands(message->payload);
}

CommandTable commands_without_analysis(const std::string& reason) {
  std::string why =
      "pygc's executable could not be asked for its commands when the plugin was\nloaded:\n  ";
  std::ranges::replace_copy_if(
      reason, std::back_inserter(why), [](char c) { return static_cast<unsigned char>(c) < 0x20; },
      ' ');
  return {.family = "Inspect CPython's garbage collector (not available)",
          .commands = {
              {.name = "check", .summary = "Try to start pygc's executable again", .help = why},
              {.name = "doctor", .summary = "Try to start pygc's executable again", .help = why}}};
}

} // namespace pygc::wire
