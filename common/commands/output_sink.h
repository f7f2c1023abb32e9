// Where a command's output goes: the session, or the file of --output.
#pragma once

#include "common/base/error.h"
#include "common/base/output_file.h"
#include "common/target/session.h"

#include <optional>
#include <string>
#include <string_view>

namespace pygc::commands {

/// Takes what is too much to be put together first.
class OutputSink {
public:
  /// To the session when `path` is empty, else to the file. Errors: permission, not_found, io.
  static Result<OutputSink> open(target::Session& session, const std::string& path);

  Result<void> write(std::string_view text);
  /// To be called last: the file is replaced as a whole, or not at all.
  Result<void> commit();

private:
  explicit OutputSink(target::Session& session) : session_(&session) {}

  target::Session* session_;
  std::optional<OutputFile> file_;
};

/// Writes `text` to the session when `path` is empty, else to the file, replacing it as a whole.
/// Errors: permission, not_found, io.
Result<void> deliver(target::Session& session, const std::string& path, std::string_view text);

/// Adds `text` to the end of a file. Errors: permission, not_found, io.
Result<void> append(const std::string& path, std::string_view text);

} // namespace pygc::commands
