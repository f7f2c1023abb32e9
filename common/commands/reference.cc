#include "common/commands/reference.h"

#include "common/commands/program.h"
#include "common/commands/reference_model.h"

#include <cctype>

namespace pygc::commands {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// "native|emulated" are values, and so is what stands in "KEY:{name,size}"; "ADDR|NAME" are kinds.
std::vector<std::string> choices_of(std::string_view type) {
  if (const auto brace = type.find(":{"); brace != std::string_view::npos && type.ends_with('}')) {
    type.remove_prefix(brace + 2);
    type.remove_suffix(1);
    return split(type, ',');
  }
  const bool values =
      type.contains('|') && std::islower(static_cast<unsigned char>(type.front())) != 0;
  return values ? split(type, '|') : std::vector<std::string>{};
}

/// "N" of "N:INT in [0 - 10]".
std::string name_of(const OptionText& option) {
  std::string values;
  for (const std::string& choice : option.choices) {
    values += (values.empty() ? "" : "|") + choice;
  }
  return values.empty() ? option.type.substr(0, option.type.find(':')) : values;
}

OptionText describe(const CLI::Option& option, const CLI::App& command) {
  OptionText text{.names = {},
                  .word = option.get_positional() ? option.get_name(true) : "",
                  .type = option.get_type_size() == 0 ? "" : option.get_type_name(),
                  .choices = {},
                  .description = option.get_description(),
                  .shared = option.get_group() != command.get_help_ptr()->get_group()};
  for (const std::string& name : option.get_snames()) {
    text.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    text.names.push_back("--" + name);
  }
  text.choices = choices_of(text.type);
  return text;
}

} // namespace

std::vector<CommandText> reference_model() {
  std::vector<CommandText> model;
  const Program program(80);
  for (const Entry& entry : registered_commands()) {
    CommandText command{.name = std::string(entry.name),
                        .summary = std::string(entry.summary),
                        .help = std::string(entry.help),
                        .options = {}};
    for (const auto& [app, ignored] : program.commands) {
      if (app->get_name() != command.name) {
        continue;
      }
      for (const CLI::Option* option : app->get_options()) {
        if (!option->get_group().empty()) { // else internal
          command.options.push_back(describe(*option, *app));
        }
      }
    }
    model.push_back(std::move(command));
  }
  return model;
}

std::map<std::string, std::vector<std::string>> option_texts() {
  std::map<std::string, std::vector<std::string>> texts;
  for (const CommandText& command : reference_model()) {
    for (const OptionText& option : command.options) {
      std::string text;
      for (const std::string& name : option.names) {
        text += (text.empty() ? "" : " ") + name;
      }
      texts[command.name].push_back(option.type.empty() ? text : text + "=" + name_of(option));
    }
  }
  return texts;
}

std::map<std::string, std::string> reference_files(const std::string& version) {
  const std::vector<CommandText> model = reference_model();
  std::map<std::string, std::string> files;
  files["man/man1/pygc.1"] = manual_of_program(model, version);
  for (const CommandText& command : model) {
    files["man/man1/pygc-" + command.name + ".1"] = manual_of(command, version);
  }
  files["bash-completion/completions/pygc"] = bash_completion(model);
  files["zsh/vendor-completions/_pygc"] = zsh_completion(model);
  files["fish/vendor_completions.d/pygc.fish"] = fish_completion(model);
  return files;
}

} // namespace pygc::commands
