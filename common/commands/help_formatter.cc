#include "common/commands/help_formatter.h"

#include "common/report/kit/text.h"

#include <algorithm>

namespace pygc::commands {
namespace {

constexpr unsigned option_columns = 28;
constexpr unsigned command_columns = 15;
constexpr unsigned least_text_columns = 24;

// As the texts are written.
constexpr unsigned written_columns = 80;

} // namespace

std::string in_width(std::string_view text, unsigned width) {
  if (width >= written_columns) {
    return std::string(text);
  }
  std::string shown;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) {
      shown += report::paragraph(paragraph, width);
      paragraph.clear();
    }
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (!line.empty() && indent == 0) {
      paragraph += (paragraph.empty() ? "" : " ") + std::string(line);
      continue;
    }
    end_paragraph();
    shown += line.empty() ? "\n" : report::paragraph(line, width, static_cast<unsigned>(indent));
  }
  end_paragraph();
  while (shown.ends_with('\n')) {
    shown.pop_back();
  }
  return shown;
}

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
