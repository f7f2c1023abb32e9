// Help for options and commands: names in one column, descriptions in another, within the width.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace pygc::commands {

/// A command's text, whose paragraphs begin at the margin and whose examples are indented, in lines
/// of at most `width` columns where words allow it.
std::string in_width(std::string_view text, unsigned width);

class HelpFormatter : public CLI::Formatter {
public:
  explicit HelpFormatter(unsigned width) : width_(width) {}

  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;

private:
  std::string in_columns(std::string name, const std::string& description,
                         unsigned name_columns) const;

  unsigned width_;
};

} // namespace pygc::commands
