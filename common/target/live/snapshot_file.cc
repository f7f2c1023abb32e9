// Writing a snapshot to a file, with its holes.
#include "common/base/output_file.h"
#include "common/target/live/core_writer.h"
#include "common/target/live/snapshot.h"

#include <algorithm>

namespace pygc::target {
namespace {

constexpr std::uint64_t written_at_once = std::uint64_t{4} << 20U;

class Copy {
public:
  Copy(const Snapshot& from, OutputFile& to, const std::function<bool()>& cancelled)
      : from_(from), to_(to), cancelled_(cancelled) {}

  Result<void> run() {
    if (auto written = write(0, std::min(core_head_size(), from_.tail)); !written) {
      return written;
    }
    for (const PlannedPiece& piece : from_.pieces) {
      if (auto written = write(piece.offset, piece.offset + piece.size); !written) {
        return written;
      }
    }
    return write(from_.tail, from_.core.bytes().size());
  }

private:
  /// What lies before it and was not written is a hole.
  Result<void> write(std::uint64_t start, std::uint64_t end) {
    if (auto skipped = to_.skip(start - done_); !skipped) {
      return skipped;
    }
    for (done_ = start; done_ < end;) {
      if (cancelled_()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      const std::uint64_t size = std::min(written_at_once, end - done_);
      if (auto written = to_.write(from_.core.bytes().subspan(done_, size)); !written) {
        return written;
      }
      done_ += size;
    }
    return {};
  }

  const Snapshot& from_;
  OutputFile& to_;
  const std::function<bool()>& cancelled_;
  std::uint64_t done_ = 0;
};

} // namespace

Result<void> save_snapshot(const Snapshot& snapshot, const std::string& path,
                           const std::function<bool()>& cancelled) {
  // Memory may hold secrets: nobody else's to read.
  auto file = OutputFile::open(path, 0600);
  if (!file) {
    return std::unexpected(file.error());
  }
  if (auto copied = Copy(snapshot, *file, cancelled).run(); !copied) {
    return copied;
  }
  return file->commit();
}

} // namespace pygc::target
