#include "replayer/native/counts.h"

#include "replayer/native/machine.h"

#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {

constinit Counts counts;

namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t block_size = (std::uint64_t{1} << count_block_shift) /
                                     (std::uint64_t{1} << count_granule_shift) *
                                     sizeof(std::uint32_t);
constexpr std::uint64_t max_blocks = (protocol::own_end - protocol::own_counts) / block_size;

std::uint64_t used_blocks = 0;

std::uint32_t* make_block() {
  if (used_blocks == max_blocks) {
    return nullptr;
  }
  const std::uint64_t start = protocol::own_counts + used_blocks * block_size;
  const std::int64_t at = machine::syscall(
      SYS_mmap, start, block_size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, ~std::uint64_t{0}, 0);
  if (at != static_cast<std::int64_t>(start)) {
    return nullptr;
  }
  // The kernel may have none: then the pages are small, no more.
  machine::syscall(SYS_madvise, start, block_size, MADV_HUGEPAGE);
  ++used_blocks;
  return reinterpret_cast<std::uint32_t*>(start);
}

} // namespace

std::uint32_t* make_count(std::uint64_t object) {
  constexpr std::uint64_t granule = (std::uint64_t{1} << count_granule_shift) - 1;
  if (!counts.has_lowest_bits) {
    counts.has_lowest_bits = true;
    counts.lowest_bits = object & granule;
  }
  const std::uint64_t number = object >> count_block_shift;
  if (number < count_blocks && counts.blocks[number] == nullptr) {
    counts.blocks[number] = make_block();
  }
  return count_at(object);
}

} // namespace pygc::replayer
