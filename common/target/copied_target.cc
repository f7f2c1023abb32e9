#include "common/target/copied_target.h"

#include "common/base/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::target {
namespace {

constexpr std::uint64_t page = 4096;

class CopiedTarget final : public Target {
public:
  explicit CopiedTarget(std::unique_ptr<Target> process) : process_(std::move(process)) {}

  Result<void> copy() {
    segments_ = process_->segments();
    std::uint64_t total = 0;
    for (Segment& segment : segments_) {
      segment.saved = worth_copying(segment);
      total += segment.saved;
    }
    file_.reset(::memfd_create("pygc-copy", MFD_CLOEXEC));
    if (!file_ || ::ftruncate(file_.get(), static_cast<off_t>(total)) != 0) {
      return failed("cannot make room for a copy of the process' memory");
    }
    if (total == 0) {
      return {};
    }
    void* at = ::mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (at == MAP_FAILED) {
      return failed("cannot map the copy of the process' memory");
    }
    std::uint64_t offset = 0;
    for (Segment& segment : segments_) {
      const std::uint64_t wanted = segment.saved;
      segment.saved = read(segment, static_cast<std::byte*>(at) + offset);
      segment.offset = offset;
      offset += wanted;
    }
    ::munmap(at, total);
    return {};
  }

  const Info& info() const override { return process_->info(); }
  const std::vector<Segment>& segments() const override { return segments_; }
  const std::vector<FileMapping>& file_mappings() const override {
    return process_->file_mappings();
  }
  const std::vector<Thread>& threads() const override { return process_->threads(); }
  int backing_fd() const override { return file_.get(); }

private:
  static Result<void> failed(const char* what) {
    return fail(ErrorKind::io, 0, std::string(what) + ": " + std::strerror(errno));
  }

  std::uint64_t worth_copying(const Segment& segment) const {
    if (segment.permissions.write) {
      return segment.saved;
    }
    const auto& files = process_->file_mappings();
    const auto file = std::ranges::find(files, segment.start, &FileMapping::start);
    if (file == files.end()) {
      return segment.saved;
    }
    return is_image(*file) && !segment.permissions.execute ? segment.saved : 0;
  }

  /// Whether code of the file is mapped, too.
  bool is_image(const FileMapping& file) const {
    const auto& files = process_->file_mappings();
    return std::ranges::any_of(segments_, [&](const Segment& segment) {
      const auto other = std::ranges::find(files, segment.start, &FileMapping::start);
      return segment.permissions.execute && other != files.end() && other->path == file.path;
    });
  }

  /// Reads what a segment is to have saved; returns how much of it could be, in whole pages.
  std::uint64_t read(const Segment& segment, std::byte* to) const {
    std::uint64_t done = 0;
    while (done < segment.saved) {
      const ssize_t n = ::pread(process_->backing_fd(), to + done, segment.saved - done,
                                static_cast<off_t>(segment.start + done));
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n <= 0) {
        break;
      }
      done += static_cast<std::uint64_t>(n);
    }
    return done / page * page;
  }

  std::unique_ptr<Target> process_;
  std::vector<Segment> segments_;
  UniqueFd file_;
};

} // namespace

Result<std::unique_ptr<Target>> copy_target(std::unique_ptr<Target> process) {
  auto copied = std::make_unique<CopiedTarget>(std::move(process));
  if (auto done = copied->copy(); !done) {
    return std::unexpected(done.error());
  }
  return copied;
}

} // namespace pygc::target
