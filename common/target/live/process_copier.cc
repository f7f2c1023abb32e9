#include "common/target/live/process_copier.h"

#include "common/machine/page.h"
#include "common/target/live/parallel.h"

#include <algorithm>
#include <array>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace pygc::target {
namespace {

// What one processor does before it takes on more, or looks whether the user has had enough.
constexpr std::uint64_t bytes_at_once = std::uint64_t{1} << 20U;
constexpr std::uint64_t allocated_at_once = std::uint64_t{8} << 20U;
constexpr std::size_t pieces_at_once = 64;

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

Result<void> ProcessCopier::prepare(const SnapshotPlan& plan,
                                    const std::function<bool()>& cancelled) {
  if (auto sized = core_.resize(plan.end); !sized) {
    return sized;
  }
  return core_.make_pages(parts_of(plan, allocated_at_once), cancelled)
             ? Result<void>{}
             : fail(ErrorKind::cancelled, 0, "interrupted");
}

void ProcessCopier::copy_batch(pid_t pid, std::span<const PlannedPiece> batch) {
  std::array<iovec, pieces_at_once> local{};
  std::array<iovec, pieces_at_once> remote{};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    local[i] = {.iov_base = core_.bytes().data() + batch[i].offset, .iov_len = batch[i].size};
    remote[i] = {.iov_base = reinterpret_cast<void*>(batch[i].start), .iov_len = batch[i].size};
  }
  const ssize_t got =
      ::process_vm_readv(pid, local.data(), batch.size(), remote.data(), batch.size(), 0);
  std::size_t done = 0;
  for (const PlannedPiece& piece : batch) {
    done += piece.size;
    if (got < static_cast<ssize_t>(done)) { // it, or a piece before it, was not read to its end
      unreadable_ +=
          read_page_by_page(pid, piece.start, core_.bytes().subspan(piece.offset, piece.size));
    }
  }
}

Result<void> ProcessCopier::copy(pid_t pid, const SnapshotPlan& plan,
                                 const std::function<bool()>& cancelled) {
  if (auto sized = core_.resize(plan.end); !sized) {
    return sized;
  }
  const std::vector<PlannedPiece> parts = parts_of(plan, bytes_at_once);
  const auto batches = batches_of(parts);
  return in_parallel(
             batches.size(), [&](std::size_t i) { copy_batch(pid, batches[i]); }, cancelled)
             ? Result<void>{}
             : fail(ErrorKind::cancelled, 0, "interrupted");
}

} // namespace pygc::target
