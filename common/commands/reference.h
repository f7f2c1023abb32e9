// What is generated of the table of commands when pygc is built: manual pages, and completions for
// shells.
#pragma once

#include <map>
#include <string>

namespace pygc::commands {

/// Names relative to PREFIX/share, and texts.
std::map<std::string, std::string> reference_files(const std::string& version);

} // namespace pygc::commands
