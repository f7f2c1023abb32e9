#include "common/commands/help_formatter.h"

#include "common/report/kit/text.h"

#include <algorithm>

namespace pygc::commands {
namespace {

constexpr unsigned option_columns = 28;
constexpr unsigned command_columns = 15;
constexpr unsigned least_text_columns = 32;

} // namespace

std::string HelpFormatter::in_columns(std::string name, const std::string& description,
                                      unsigned name_columns) const {
  const std::string text = report::paragraph(
      description, std::max(width_, name_columns + least_text_columns), name_columns);
  if (name.size() + 1 >= name_columns) {
    return name + "\n" + text;
  }
  name.resize(name_columns, ' ');
  return name + (text.size() > name_columns ? text.substr(name_columns) : "\n");
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return in_columns("  " + make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option), option_columns);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return in_columns("  " + command->get_name(), command->get_description(), command_columns);
}

} // namespace pygc::commands
