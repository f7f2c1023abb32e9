#include "common/target/live/process_copier.h"

#include "common/base/write_all.h"
#include "common/machine/page.h"
#include "common/target/live/parallel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace pygc::target {
namespace {

// What one processor does before it takes on more, or looks whether the user has had enough.
constexpr std::uint64_t bytes_at_once = std::uint64_t{256} << 10U;
constexpr std::uint64_t allocated_at_once = std::uint64_t{8} << 20U;
constexpr std::size_t pieces_at_once = 64;

std::string system_reason(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

/// The pieces, none larger than that.
std::vector<PlannedPiece> parts_of(const SnapshotPlan& plan, std::uint64_t largest) {
  std::vector<PlannedPiece> parts;
  for (const PlannedPiece& piece : plan.pieces) {
    for (std::uint64_t done = 0; done < piece.size; done += largest) {
      parts.push_back({.start = piece.start + done,
                       .size = std::min(piece.size - done, largest),
                       .offset = piece.offset + done});
    }
  }
  return parts;
}

/// Neighbours that are copied at once.
std::vector<std::span<const PlannedPiece>> batches_of(std::span<const PlannedPiece> parts) {
  std::vector<std::span<const PlannedPiece>> batches;
  std::size_t first = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i - first == pieces_at_once || bytes + parts[i].size > bytes_at_once) {
      batches.push_back(parts.subspan(first, i - first));
      first = i;
      bytes = 0;
    }
    bytes += parts[i].size;
  }
  if (first < parts.size()) {
    batches.push_back(parts.subspan(first));
  }
  return batches;
}

std::size_t read_memory(pid_t pid, Address from, std::span<std::byte> to) {
  const iovec local{.iov_base = to.data(), .iov_len = to.size()};
  const iovec remote{.iov_base = reinterpret_cast<void*>(from), .iov_len = to.size()};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

/// Returns how many bytes could not be read; in their place are zeros.
std::uint64_t read_page_by_page(pid_t pid, Address from, std::span<std::byte> to) {
  std::uint64_t unreadable = 0;
  const std::size_t page = machine::page_size();
  for (std::size_t done = 0; done < to.size(); done += page) {
    const auto part = to.subspan(done, std::min(page, to.size() - done));
    if (read_memory(pid, from + done, part) != part.size()) {
      std::ranges::fill(part, std::byte{0});
      unreadable += part.size();
    }
  }
  return unreadable;
}

} // namespace

Result<void> ProcessCopier::create() {
  file_.reset(::memfd_create("pygc-snapshot", MFD_CLOEXEC));
  return file_ ? Result<void>()
               : fail(ErrorKind::io, 0, system_reason("cannot make a file in memory"));
}

Result<void> ProcessCopier::reserve(const SnapshotPlan& plan, bool allocate,
                                    const std::function<bool()>& cancelled) {
  if (::ftruncate(file_.get(), static_cast<off_t>(plan.end)) != 0) {
    return fail(ErrorKind::limit, 0, system_reason("no room for a copy of the process"));
  }
  if (!allocate) {
    return {};
  }
  const std::vector<PlannedPiece> parts = parts_of(plan, allocated_at_once);
  const auto allocate_part = [&](std::size_t i) {
    // Where the kernel does not know this, the pages come as they are written.
    ::fallocate(file_.get(), 0, static_cast<off_t>(parts[i].offset),
                static_cast<off_t>(parts[i].size));
  };
  return in_parallel(parts.size(), allocate_part, cancelled)
             ? Result<void>{}
             : fail(ErrorKind::cancelled, 0, "interrupted");
}

/// False: no room for it.
bool ProcessCopier::copy_batch(pid_t pid, std::span<const PlannedPiece> batch) {
  thread_local std::vector<std::byte> buffer(bytes_at_once);
  std::array<iovec, pieces_at_once> remote{};
  std::size_t size = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    remote[i] = {.iov_base = reinterpret_cast<void*>(batch[i].start), .iov_len = batch[i].size};
    size += batch[i].size;
  }
  const iovec local{.iov_base = buffer.data(), .iov_len = size};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, remote.data(), batch.size(), 0);
  std::size_t done = 0;
  for (const PlannedPiece& piece : batch) {
    const std::span bytes = std::span(buffer).subspan(done, piece.size);
    done += piece.size;
    if (got < static_cast<ssize_t>(done)) { // it, or a piece before it, was not read to its end
      unreadable_ += read_page_by_page(pid, piece.start, bytes);
    }
    if (write_all_at(file_.get(), bytes, piece.offset) != 0) {
      return false;
    }
  }
  return true;
}

Result<void> ProcessCopier::copy(pid_t pid, const SnapshotPlan& plan,
                                 const std::function<bool()>& cancelled) {
  const std::vector<PlannedPiece> parts = parts_of(plan, bytes_at_once);
  const auto batches = batches_of(parts);
  std::atomic<bool> full = false;
  const auto copy_one = [&](std::size_t i) {
    if (!copy_batch(pid, batches[i])) {
      full = true;
    }
  };
  const bool whole = in_parallel(batches.size(), copy_one, [&] { return full || cancelled(); });
  if (full) {
    return fail(ErrorKind::limit, 0, "no room for a copy of the process");
  }
  return whole ? Result<void>{} : fail(ErrorKind::cancelled, 0, "interrupted");
}

} // namespace pygc::target
