// The commands and their options as plain data, for what is generated of them.
#pragma once

#include <string>
#include <vector>

namespace pygc::commands {

struct OptionText {
  std::vector<std::string> names;   // "-o", "--output"; empty: a word without an option
  std::string word;                 // what stands for such a word: "core"
  std::string type;                 // "FILE"; empty for a flag
  std::vector<std::string> choices; // all values, where there are few
  std::string description;
  bool shared = false; // with most commands
};

struct CommandText {
  std::string name;
  std::string summary;
  std::string help;
  std::vector<OptionText> options;
};

std::vector<CommandText> reference_model();

std::string manual_of_program(const std::vector<CommandText>& commands, const std::string& version);
std::string manual_of(const CommandText& command, const std::string& version);
std::string bash_completion(const std::vector<CommandText>& commands);
std::string zsh_completion(const std::vector<CommandText>& commands);
std::string fish_completion(const std::vector<CommandText>& commands);

} // namespace pygc::commands
