// Where a command's output goes: the session, or the file of --output.
#pragma once

#include "common/base/error.h"
#include "common/target/session.h"

#include <string>
#include <string_view>

namespace pygc::commands {

/// Writes `text` to the session when `path` is empty, else to the file, replacing it as a whole.
/// Errors: permission, not_found, io.
Result<void> deliver(target::Session& session, const std::string& path, std::string_view text);

/// Adds `text` to the end of a file. Errors: permission, not_found, io.
Result<void> append(const std::string& path, std::string_view text);

} // namespace pygc::commands
