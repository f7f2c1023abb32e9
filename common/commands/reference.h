// What is generated of the table of commands: manual pages and completions for shells, when pygc is
// built, and what debuggers complete.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pygc::commands {

/// The options of each command, one a text: "-o --output=FILE", "--engine=native|emulated",
/// "--deep", and
/// "=ADDR" for a word of its own.
std::map<std::string, std::vector<std::string>> option_texts();

/// Names relative to PREFIX/share, and texts.
std::map<std::string, std::string> reference_files(const std::string& version);

} // namespace pygc::commands
