// Where a command's output was to go, read from its words alone: errors are told there before the
// words have been parsed, or though they cannot be.
#pragma once

#include <string>
#include <vector>

namespace pygc::commands {

struct WantedOutput {
  bool json = false;
  std::string file; // of --output; empty: the session
};

/// For `snapshot`, whose --output is no document, the file is empty.
WantedOutput wanted_output(const std::vector<std::string>& words);

} // namespace pygc::commands
