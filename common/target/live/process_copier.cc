#include "common/target/live/process_copier.h"

#include "common/machine/page.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

namespace pygc::target {
namespace {

// Between two looks at whether the user has had enough.
constexpr std::uint64_t bytes_at_once = std::uint64_t{32} << 20U;

std::string system_reason(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

} // namespace

ProcessCopier::~ProcessCopier() {
  if (bytes_ != nullptr) {
    ::munmap(bytes_, size_);
  }
}

Result<void> ProcessCopier::create() {
  file_.reset(::memfd_create("pygc-snapshot", MFD_CLOEXEC));
  return file_ ? Result<void>()
               : fail(ErrorKind::io, 0, system_reason("cannot make a file in memory"));
}

Result<void> ProcessCopier::reserve(const SnapshotPlan& plan, bool touch,
                                    const std::function<bool()>& cancelled) {
  if (bytes_ == nullptr || plan.end > size_) {
    if (bytes_ != nullptr) {
      ::munmap(bytes_, size_);
      bytes_ = nullptr;
    }
    if (::ftruncate(file_.get(), static_cast<off_t>(plan.end)) != 0) {
      return fail(ErrorKind::limit, 0, system_reason("no room for a copy of the process"));
    }
    void* at = ::mmap(nullptr, plan.end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                      file_.get(), 0);
    if (at == MAP_FAILED) {
      return fail(ErrorKind::limit, 0, system_reason("no room for a copy of the process"));
    }
    bytes_ = static_cast<std::byte*>(at);
    size_ = plan.end;
  }
  for (const PlannedPiece& piece : plan.pieces) {
    for (std::uint64_t done = 0; touch && done < piece.size; done += bytes_at_once) {
      if (cancelled()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      // Where the kernel does not know this, the pages come as they are written.
      ::madvise(bytes_ + piece.offset + done, std::min(bytes_at_once, piece.size - done),
                MADV_POPULATE_WRITE);
    }
  }
  return {};
}

void ProcessCopier::copy_page_by_page(pid_t pid, const PlannedPiece& piece) {
  for (std::uint64_t done = 0; done < piece.size; done += machine::page_size()) {
    const iovec local{.iov_base = bytes_ + piece.offset + done, .iov_len = machine::page_size()};
    const iovec remote{.iov_base = reinterpret_cast<void*>(piece.start + done),
                       .iov_len = machine::page_size()};
    if (::process_vm_readv(pid, &local, 1, &remote, 1, 0) !=
        static_cast<ssize_t>(machine::page_size())) {
      std::memset(bytes_ + piece.offset + done, 0, machine::page_size());
      unreadable_ += machine::page_size();
    }
  }
}

Result<void> ProcessCopier::copy(pid_t pid, const SnapshotPlan& plan,
                                 const std::function<bool()>& cancelled) {
  constexpr std::size_t pieces_at_once = 512;
  std::array<iovec, pieces_at_once> local{};
  std::array<iovec, pieces_at_once> remote{};
  std::array<PlannedPiece, pieces_at_once> batch{};
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  const auto flush = [&] {
    const ssize_t got = ::process_vm_readv(pid, local.data(), count, remote.data(), count, 0);
    std::uint64_t there = got < 0 ? 0 : static_cast<std::uint64_t>(got);
    for (std::size_t i = 0; i < count; ++i) {
      if (there >= batch[i].size) {
        there -= batch[i].size;
      } else { // it, or a piece before it, was not read to its end
        there = 0;
        copy_page_by_page(pid, batch[i]);
      }
    }
    count = 0;
    bytes = 0;
  };
  for (const PlannedPiece& piece : plan.pieces) {
    for (std::uint64_t done = 0; done < piece.size;) {
      const std::uint64_t size = std::min(piece.size - done, bytes_at_once - bytes);
      batch[count] = {.start = piece.start + done, .size = size, .offset = piece.offset + done};
      local[count] = {.iov_base = bytes_ + batch[count].offset, .iov_len = size};
      remote[count] = {.iov_base = reinterpret_cast<void*>(batch[count].start), .iov_len = size};
      ++count;
      bytes += size;
      done += size;
      if (count == pieces_at_once || bytes == bytes_at_once) {
        if (cancelled()) {
          return fail(ErrorKind::cancelled, 0, "interrupted");
        }
        flush();
      }
    }
  }
  flush();
  return {};
}

} // namespace pygc::target
