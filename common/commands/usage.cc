#include "common/commands/usage.h"

#include "common/base/suggestion.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

bool is_number(std::string_view word) {
  return !word.empty() &&
         std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_group().empty()) { // else hidden
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return names;
}

/// The command whose words were parsed; the program when there was none.
const CLI::App& parsed_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

std::string unexpected_word(const CLI::App& command, const std::string& word) {
  if (word.starts_with('-') && word != "-") {
    const std::string option = word.substr(0, word.find('='));
    const std::string meant = did_you_mean(option, names_of_options(command));
    return fmt::format(
        "unknown option '{}'{}", option,
        meant.empty() ? fmt::format("; pygc {} --help lists them", command.get_name()) : meant);
  }
  const CLI::Option* core = command.get_option_no_throw("core");
  if (core != nullptr && core->get_positional() && core->count() > 0) {
    return fmt::format("one core at a time: '{}', or '{}'?", core->results().front(), word);
  }
  return fmt::format("'{}' is one word too many; pygc {} --help says what it takes", word,
                     command.get_name());
}

/// The option that a message of the parser begins with.
const CLI::Option* option_of(const CLI::App& command, std::string_view message) {
  const std::string name(message.substr(0, message.find_first_of(": ")));
  return command.get_option_no_throw(name);
}

std::string type_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.empty() ? "a value" : type;
}

} // namespace

std::vector<std::string> usual_words(const std::vector<std::string>& words) {
  if (words.empty()) {
    return {"--help"};
  }
  const std::string& first = words.front();
  if (first == "--version" || first == "-V") {
    return {"version"};
  }
  if (first != "help") {
    return words;
  }
  std::vector<std::string> asked(words.begin() + 1, words.end());
  std::erase(asked, "help");
  asked.emplace_back("--help");
  return asked;
}

std::string problem_of_first_word(const CLI::App& app, const std::vector<std::string>& words) {
  const std::string& word = words.front();
  const std::vector<std::string> commands = names_of_commands(app);
  const auto is_command = [&](const std::string& each) {
    return std::ranges::find(commands, each) != commands.end();
  };
  if (is_command(word)) {
    return {};
  }
  if (word.starts_with('-')) {
    const std::string option = word.substr(0, word.find('='));
    if (app.get_option_no_throw(option) != nullptr) {
      return {};
    }
    const auto command = std::ranges::find_if(words, is_command);
    return command != words.end()
               ? fmt::format("the command comes first: pygc {} {} ...", *command, word)
               : fmt::format("unknown option '{}'{}", option,
                             did_you_mean(option, {"--help", "--version"}));
  }
  std::error_code ignored;
  if (is_number(word)) {
    return fmt::format("'{0}' is no command; a process? pygc check --pid {0}", word);
  }
  if (std::filesystem::is_regular_file(word, ignored)) {
    return fmt::format("'{0}' is no command; a core? pygc check {0}", word);
  }
  const std::string meant = did_you_mean(word, commands);
  return fmt::format("unknown command '{}'{}", word,
                     meant.empty() ? "; pygc help lists the commands" : meant);
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = parsed_command(app);
  const std::string said = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const auto extras = app.remaining(true);
    return extras.empty() ? said : unexpected_word(command, extras.front());
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const CLI::Option* core = command.get_option_no_throw("core");
    if (core != nullptr && core->count() > 0 && said.find("--pid") != std::string::npos) {
      return fmt::format("a core ('{}') or a process (--pid), not both", core->results().front());
    }
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (const CLI::Option* option = option_of(command, said)) {
      const std::string name = option->get_name();
      return option->count() > 1
                 ? fmt::format("{} was given more than once", name)
                 : fmt::format("{0} wants a value: {0} {1}", name, type_of(*option));
    }
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    if (const CLI::Option* option = option_of(command, said)) {
      return option->get_positional()
                 ? fmt::format("pygc {} wants {}", command.get_name(), type_of(*option))
                 : fmt::format("pygc {} wants {} {}", command.get_name(), option->get_name(),
                               type_of(*option));
    }
  }
  return said;
}

void check_numbers(CLI::App& command) {
  for (CLI::Option* option :
       command.get_options([](const CLI::Option* each) { return each->get_type_name() == "N"; })) {
    option->transform(CLI::Validator( // before the checks that take it for one

        [](std::string& word) {
          return is_number(word) ? std::string() : fmt::format("'{}' is not a number", word);
        },
        ""));
  }
}

} // namespace pygc::commands
