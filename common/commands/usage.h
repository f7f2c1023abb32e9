// The words that people type around the commands, and one sentence for each usual mistake.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace pygc::commands {

/// The words as the parser wants them: nothing, "help", "help check", "--version" and "-V" are
/// replaced by what they stand for.
std::vector<std::string> usual_words(const std::vector<std::string>& words);

/// What is wrong with the first word; empty when it is a command or an option of the program.
std::string problem_of_first_word(const CLI::App& app, const std::vector<std::string>& words);

/// The mistake that the parser stopped at, as one sentence.
std::string explain(const CLI::App& app, const CLI::ParseError& error);

/// Has each option of a number (those whose type is N) say what is no number.
void check_numbers(CLI::App& command);

} // namespace pygc::commands
