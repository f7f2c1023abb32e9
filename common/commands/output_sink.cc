#include "common/commands/output_sink.h"

#include "common/base/unique_fd.h"
#include "common/base/write_all.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace pygc::commands {
namespace {

Error file_error(const std::string& path, int code) {
  const ErrorKind kind = code == ENOENT   ? ErrorKind::not_found
                         : code == EACCES ? ErrorKind::permission
                                          : ErrorKind::io;
  return {kind, 0, fmt::format("cannot write {}: {}", path, std::strerror(code))};
}

} // namespace

Result<void> append(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (const int code = fd ? write_all(fd.get(), text) : errno; code != 0) {
    return std::unexpected(file_error(path, code));
  }
  return {};
}

Result<OutputSink> OutputSink::open(target::Session& session, const std::string& path) {
  OutputSink sink(session);
  if (!path.empty()) {
    auto file = OutputFile::open(path, 0666);
    if (!file) {
      return std::unexpected(file.error());
    }
    sink.file_.emplace(std::move(*file));
  }
  return sink;
}

Result<void> OutputSink::write(std::string_view text) {
  if (file_) {
    return file_->write(text);
  }
  session_->output(text);
  return {};
}

Result<void> OutputSink::commit() {
  return file_ ? file_->commit() : Result<void>{};
}

Result<void> deliver(target::Session& session, const std::string& path, std::string_view text) {
  auto sink = OutputSink::open(session, path);
  if (!sink) {
    return std::unexpected(sink.error());
  }
  if (auto written = sink->write(text); !written) {
    return written;
  }
  return sink->commit();
}

} // namespace pygc::commands
