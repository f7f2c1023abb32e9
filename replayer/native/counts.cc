#include "replayer/native/counts.h"

#include "replayer/native/machine.h"

#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {

constinit Counts counts;

namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t slice_size =
    (std::uint64_t{1} << (count_slice_shift - count_granule_shift)) * sizeof(std::uint32_t);
constexpr std::uint64_t table_size = count_slices * sizeof(std::uint32_t*);
constexpr std::uint64_t piece = std::uint64_t{1} << 26; // mapped at once

std::uint64_t used_end = protocol::own_counts;
std::uint64_t mapped_end = protocol::own_counts;

/// Zeros; null: no memory.
void* take(std::uint64_t size) {
  if (used_end + size > mapped_end) {
    if (mapped_end + piece > protocol::own_end) {
      return nullptr;
    }
    const std::int64_t at = machine::syscall(
        SYS_mmap, mapped_end, piece, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, ~std::uint64_t{0}, 0);
    if (at != static_cast<std::int64_t>(mapped_end)) {
      return nullptr;
    }
    // The kernel may have none: then the pages are small, no more.
    machine::syscall(SYS_madvise, mapped_end, piece, MADV_HUGEPAGE);
    mapped_end += piece;
  }
  void* taken = reinterpret_cast<void*>(used_end);
  used_end += size;
  return taken;
}

} // namespace

std::uint32_t* make_count(std::uint64_t object) {
  constexpr std::uint64_t alignment = (std::uint64_t{1} << alignment_shift) - 1;
  if (!counts.has_lowest_bits) {
    counts.has_lowest_bits = true;
    counts.lowest_bits = object & alignment;
  }
  const std::uint64_t number = object >> count_block_shift;
  if (number >= count_blocks) {
    return nullptr;
  }
  std::uint32_t**& slices = counts.blocks[number];
  if (slices == nullptr) {
    slices = static_cast<std::uint32_t**>(take(table_size));
  }
  if (slices == nullptr) {
    return nullptr;
  }
  std::uint32_t*& slice = slices[(object >> count_slice_shift) % count_slices];
  if (slice == nullptr) {
    slice = static_cast<std::uint32_t*>(take(slice_size));
  }
  return count_at(object);
}

} // namespace pygc::replayer
