#include "common/commands/wanted_output.h"

#include <string_view>

namespace pygc::commands {

WantedOutput wanted_output(const std::vector<std::string>& words) {
  constexpr std::string_view long_option = "--output=";
  WantedOutput wanted;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string_view word = words[i];
    if (word == "--json") {
      wanted.json = true;
    } else if (word == "--output" || word == "-o") {
      wanted.file = i + 1 < words.size() ? words[++i] : "";
    } else if (word.starts_with(long_option)) {
      wanted.file = word.substr(long_option.size());
    } else if (word.starts_with("-o")) {
      wanted.file = word.substr(2);
    }
  }
  if (wanted.file == "-" || (!words.empty() && words.front() == "snapshot")) {
    wanted.file.clear();
  }
  return wanted;
}

} // namespace pygc::commands
