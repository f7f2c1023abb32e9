#include "common/target/live/core_buffer.h"

#include "common/machine/page.h"
#include "common/target/live/parallel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace pygc::target {
namespace {

constexpr std::uint64_t huge_page = std::uint64_t{2} << 20U;
// Of a huge page: from so much on it pays.
constexpr std::uint64_t least_used = std::uint64_t{512} << 10U;
// The process that is copied goes on until it is stopped.
constexpr std::uint64_t slack = std::uint64_t{64} << 20U;

/// Which huge pages of the mapping the pieces fill well enough.
std::vector<bool> well_used(std::span<const PlannedPiece> pieces, std::uint64_t size) {
  std::vector<std::uint64_t> used(size / huge_page + 1);
  for (const PlannedPiece& piece : pieces) {
    std::uint64_t at = CoreBuffer::lead + piece.offset;
    const std::uint64_t end = at + piece.size;
    while (at < end) {
      const std::uint64_t next = std::min(end, (at / huge_page + 1) * huge_page);
      used[at / huge_page] += next - at;
      at = next;
    }
  }
  std::vector<bool> well;
  well.reserve(used.size());
  for (const std::uint64_t bytes : used) {
    well.push_back(bytes >= least_used);
  }
  return well;
}

/// A mapping that begins with a huge page, and has so many bytes at least; empty: no room.
std::span<std::byte> map_aligned(std::uint64_t size) {
  void* at = ::mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return {};
  }
  auto* first = static_cast<std::byte*>(at);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(at) % huge_page;
  if (before != 0) {
    ::munmap(first, before);
  }
  return {first + before, machine::page_up(size + huge_page - before)};
}

/// Moves the pages to the begin of a larger mapping. Not at once: the kernel refuses that (EFAULT)
/// where some of them are huge pages by choice.
bool move_pages(std::span<std::byte> from, std::span<std::byte> to) {
  for (std::size_t at = 0; at < from.size(); at += huge_page) {
    const std::size_t size = std::min<std::size_t>(huge_page, from.size() - at);
    if (::mremap(from.data() + at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to.data() + at) ==
        MAP_FAILED) {
      return false;
    }
  }
  return true;
}

} // namespace

CoreBuffer& CoreBuffer::operator=(CoreBuffer&& other) noexcept {
  std::swap(map_, other.map_);
  std::swap(size_, other.size_);
  return *this;
}

CoreBuffer::~CoreBuffer() {
  if (!map_.empty()) {
    ::munmap(map_.data(), map_.size());
  }
}

Result<void> CoreBuffer::resize(std::uint64_t size) {
  const auto no_room = [] {
    return fail(ErrorKind::limit, 0,
                std::string("no room for a copy of the process: ") + std::strerror(errno));
  };
  const std::uint64_t needed = machine::page_up(lead + size);
  if (needed <= map_.size()) {
    size_ = size;
    return {};
  }
  const std::span<std::byte> larger = map_aligned(needed + needed / 8 + slack);
  if (larger.empty()) {
    return no_room();
  }
  const bool moved = move_pages(map_, larger);
  map_ = larger;
  if (!moved) {
    return no_room();
  }
  size_ = size;
  return {};
}

bool CoreBuffer::make_pages(std::span<const PlannedPiece> pieces,
                            const std::function<bool()>& stop) {
  // Left alone, a kernel that gives huge pages to everybody would make one for each thread's stack.
  ::madvise(map_.data(), map_.size(), MADV_NOHUGEPAGE);
  const std::vector<bool> huge = well_used(pieces, map_.size());
  for (std::size_t first = 0; first < huge.size();) {
    const auto after =
        std::find(huge.begin() + static_cast<std::ptrdiff_t>(first), huge.end(), !huge[first]);
    const auto end = static_cast<std::size_t>(after - huge.begin());
    if (huge[first] && end * huge_page <= map_.size()) {
      ::madvise(map_.data() + first * huge_page, (end - first) * huge_page, MADV_HUGEPAGE);
    }
    first = end;
  }
  // Where the kernel does not know this (before 5.14), they come as they are written.
  return in_parallel(
      pieces.size(),
      [&](std::size_t i) {
        const std::uint64_t start = machine::page_down(lead + pieces[i].offset);
        const std::uint64_t end = machine::page_up(lead + pieces[i].offset + pieces[i].size);
        ::madvise(map_.data() + start, end - start, MADV_POPULATE_WRITE);
      },
      stop);
}

} // namespace pygc::target
