// Completions for bash, zsh and fish: commands, options, their values.
#include "common/commands/reference_model.h"

#include <fmt/format.h>
#include <string_view>

namespace pygc::commands {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// Inside single quotes of any of the shells.
std::string in_quotes(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    shown += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return "'" + shown + "'";
}

/// In a specification of zsh, where brackets and colons have a meaning.
std::string in_specification(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    shown += (c == '[' || c == ']' || c == ':' || c == '\\' ? "\\" : "") + std::string(1, c);
  }
  return shown;
}

std::string names_of(const std::vector<CommandText>& commands) {
  std::string text;
  for (const CommandText& command : commands) {
    text += command.name + " ";
  }
  return text + "help";
}

} // namespace

std::string bash_completion(const std::vector<CommandText>& commands) {
  std::string text = R"(# Completion of pygc for bash.
_pygc() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ] || [ "${COMP_WORDS[1]}" = help ]; then
)";
  text += "    mapfile -t COMPREPLY < <(compgen -W '" + names_of(commands) +
          " --version --help' -- \"$current\")\n    return\n  fi\n"
          "  case ${COMP_WORDS[1]}:$previous in\n";
  for (const CommandText& command : commands) {
    for (const OptionText& option : command.options) {
      for (const std::string& name : option.names) {
        if (option.type.empty()) {
          continue;
        }
        const std::string reply = !option.choices.empty() ? "-W '" + joined(option.choices) + "'"
                                  : option.type == "FILE" ? "-f"
                                  : option.type == "DIR"  ? "-d"
                                                          : "-W ''";
        text += fmt::format("    {}:{}) mapfile -t COMPREPLY < <(compgen {} -- \"$current\"); "
                            "return ;;\n",
                            command.name, name, reply);
      }
    }
  }
  text += "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const CommandText& command : commands) {
    std::string names;
    for (const OptionText& option : command.options) {
      names += option.names.empty() ? "" : option.names.back() + " ";
    }
    text += fmt::format("    {}) options='{}' ;;\n", command.name, names);
  }
  text += R"(  esac
  case $current in
  -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current") ;;
  *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}
complete -o filenames -F _pygc pygc
)";
  return text;
}

std::string zsh_completion(const std::vector<CommandText>& commands) {
  std::string text =
      "#compdef pygc\n# Completion of pygc for zsh.\nlocal -a commands\ncommands=(\n";
  for (const CommandText& command : commands) {
    text += "  " + in_quotes(in_specification(command.name) + ":" + command.summary) + "\n";
  }
  text += R"(  'help:Show the commands, or one of them'
)
if (( CURRENT == 2 )); then
  _describe command commands
  return
fi
shift words
(( CURRENT-- ))
case $words[1] in
help) _describe command commands ;;
)";
  for (const CommandText& command : commands) {
    text += command.name + ") _arguments";
    for (const OptionText& option : command.options) {
      const std::string values = !option.choices.empty() ? ":value:(" + joined(option.choices) + ")"
                                 : option.type == "FILE" ? ":file:_files"
                                 : option.type == "DIR"  ? ":directory:_files -/"
                                 : option.type.empty()   ? ""
                                                       : ":" + in_specification(option.type) + ": ";
      if (option.names.empty()) {
        text += " \\\n  " + in_quotes("*:" + in_specification(option.word) + ":_files");
      }
      for (const std::string& name : option.names) {
        text +=
            " \\\n  " + in_quotes(name + "[" + in_specification(option.description) + "]" + values);
      }
    }
    text += " ;;\n";
  }
  return text + "esac\n";
}

std::string fish_completion(const std::vector<CommandText>& commands) {
  std::string text = "# Completion of pygc for fish.\n";
  const std::string names = names_of(commands);
  text += "complete -c pygc -f -n __fish_use_subcommand -a help -d 'Show the commands, or one of "
          "them'\n";
  text += fmt::format("complete -c pygc -f -n '__fish_seen_subcommand_from help' -a '{}'\n", names);
  for (const CommandText& command : commands) {
    text += fmt::format("complete -c pygc -f -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        in_quotes(command.summary));
    for (const OptionText& option : command.options) {
      if (option.names.empty()) {
        text +=
            fmt::format("complete -c pygc -F -n '__fish_seen_subcommand_from {}'\n", command.name);
        continue;
      }
      text += fmt::format("complete -c pygc -n '__fish_seen_subcommand_from {}'", command.name);
      for (const std::string& name : option.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      text += !option.choices.empty() ? " -x -a '" + joined(option.choices) + "'"
              : option.type == "FILE" ? " -r -F"
              : option.type == "DIR"  ? " -x -a '(__fish_complete_directories)'"
              : option.type.empty()   ? ""
                                      : " -x";
      text += " -d " + in_quotes(option.description) + "\n";
    }
  }
  return text;
}

} // namespace pygc::commands
