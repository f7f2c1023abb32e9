// A file that a command writes: under its name only once it is whole, and never in the place of
// something else.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace pygc {

/// What is written goes to a file without a name in the same directory; commit() gives it the name.
/// Symbolic links are followed. A file that exists keeps its owner, group and mode; where that, or
/// a new file in its directory, is not possible (a directory that is not ours, a file that is
/// mounted or has several names), commit() copies into it, after room was made for all of it. A
/// device, a pipe and a descriptor in /proc are written to directly.
/// Errors of all functions: permission, not_found, io.
class OutputFile {
public:
  /// `mode` (less the umask) is for a file that does not exist yet.
  static Result<OutputFile> open(const std::string& path, mode_t mode);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&&) = delete;

  /// Behind what was written before.
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  /// Leaves out bytes that are 0: a hole, where the file can have one.
  Result<void> skip(std::size_t size);
  /// To be called once, last. Without it nothing has happened to the file of that name.
  Result<void> commit();

  /// It was written to directly: it is no regular file, or one that somebody else has opened for
  /// us.
  bool direct() const { return direct_; }

private:
  /// A name that goes with its owner. Empty where the file has none.
  struct Temporary {
    Temporary() = default;
    Temporary(Temporary&& other) noexcept : path(std::exchange(other.path, {})) {}
    Temporary& operator=(Temporary&&) = delete;
    ~Temporary();
    std::string path;
  };

  explicit OutputFile(std::string path) : asked_(path), path_(std::move(path)) {}

  Result<void> prepare(mode_t mode);
  bool create_beside(mode_t mode);
  bool keep_identity() const;
  bool rename_over();
  Result<void> copy_into() const;
  std::unexpected<Error> error(int code) const;

  std::string asked_;                   // as the user gave it
  std::string path_;                    // behind the symbolic links
  std::optional<struct stat> existing_; // of the regular file that is to be replaced
  UniqueFd fd_;
  Temporary temporary_;
  bool direct_ = false;
  bool beside_ = false; // in the directory of path_, so that it can take its name
  off_t size_ = 0;      // with what was skipped
};

} // namespace pygc
