#include "replayer/native/fetch.h"

#include "replayer/native/fill.h"
#include "replayer/native/machine.h"
#include "replayer/native/read_ahead.h"

#include <array>
#include <atomic>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t chunk = fetched_at_once;
constexpr std::size_t max_fetch_files = 16;
// Where the process that reads ahead does so.
constexpr std::uint64_t aside = protocol::own_start + 0x8000'0000;
static_assert(aside % chunk == 0 && aside > protocol::own_stack &&
              aside + chunk <= protocol::own_window);
// Of a chunk: from so much on a huge page pays.
constexpr std::uint64_t least_read = std::uint64_t{128} << 10;
struct Fetch {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::uint32_t protection = 0;
  int fd = -1;
  bool in_place = false; // mapped from the file; else there is nothing until it is read
  std::size_t first_chunk = 0;
};

std::array<Fetch, 32768> fetches;
std::size_t fetch_count = 0;
std::array<int, max_fetch_files> kept;
std::size_t kept_count = 0;

// How it stands with the chunks of the regions; a chunk of two regions counts twice. Two processes
// may be after one: who makes it `coming` brings it.
enum class State : std::uint8_t { absent, coming, present };
std::array<std::atomic<State>, std::size_t{1} << 20> states;
std::size_t chunk_count = 0;
std::atomic<std::uint64_t> waited = 0;

// Memory beside regions, lent to them until the end of the walk: a huge page is aligned, and a
// region is not.
struct Lent {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};
std::array<Lent, 4096> lent;
std::size_t lent_count = 0;

bool in_place = false;

// What was brought last: a fault there once more is one that more memory does not mend.
std::uint64_t last_start = 0;
std::uint64_t last_end = 0;

/// The first region that ends behind the address, or the number of regions.
std::size_t first_behind(std::uint64_t address) {
  std::size_t first = 0;
  std::size_t last = fetch_count;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (address >= fetches[middle].end) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

/// Lets the pages be those of the file, without a fault for each.
bool open_in_place(std::uint64_t start, std::uint64_t end) {
  if (machine::syscall(SYS_mprotect, start, end - start, PROT_READ | PROT_WRITE) != 0) {
    return false;
  }
  constexpr std::uint64_t populate_read = 22; // MADV_POPULATE_READ, since Linux 5.14
  machine::syscall(SYS_madvise, start, end - start, populate_read); // else they come one by one
  return true;
}

bool map_fresh(std::uint64_t start, std::uint64_t end, int flags) {
  flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  return machine::syscall(SYS_mmap, start, end - start, PROT_READ | PROT_WRITE,
                          static_cast<std::uint64_t>(flags), ~std::uint64_t{0},
                          0) == static_cast<std::int64_t>(start);
}

/// Where nothing is mapped.
bool lend(std::uint64_t start, std::uint64_t end) {
  if (start >= end || lent_count == lent.size() || !map_fresh(start, end, MAP_FIXED_NOREPLACE)) {
    return false;
  }
  lent[lent_count++] = {start, end};
  return true;
}

std::uint64_t floor_of(std::uint64_t address) {
  return address & ~(chunk - 1);
}

std::size_t chunks_of(const Fetch& region) {
  return (floor_of(region.end - 1) - floor_of(region.start)) / chunk + 1;
}

std::atomic<State>& state_of(const Fetch& region, std::uint64_t floor) {
  return states[region.first_chunk + (floor - floor_of(region.start)) / chunk];
}

/// What of a region lies in a chunk.
struct Piece {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t offset;
};

Piece piece_of(const Fetch& region, std::uint64_t floor) {
  const std::uint64_t start = floor < region.start ? region.start : floor;
  const std::uint64_t end = region.end - floor < chunk ? region.end : floor + chunk;
  return {start, end, region.offset + (start - region.start)};
}

/// Whether all of the chunk is ours to map: what lies between the regions is lent. What was lent
/// stays so where it is not.
bool claim(std::uint64_t floor, std::size_t first) {
  std::uint64_t bytes = 0;
  for (std::size_t i = first; i < fetch_count && fetches[i].start < floor + chunk; ++i) {
    const Piece piece = piece_of(fetches[i], floor);
    bytes += piece.end - piece.start;
  }
  if (bytes < least_read) {
    return false;
  }
  std::uint64_t done = floor;
  for (std::size_t i = first; i < fetch_count && fetches[i].start < floor + chunk; ++i) {
    const Piece piece = piece_of(fetches[i], floor);
    if (done < piece.start && !lend(done, piece.start)) {
      return false;
    }
    done = piece.end;
  }
  return done == floor + chunk || lend(done, floor + chunk);
}

/// Reads the chunk into one huge page.
bool read_chunk(std::uint64_t floor, std::size_t first) {
  if (!map_fresh(floor, floor + chunk, MAP_FIXED)) {
    return false;
  }
  // The kernel may have none: then the pages are small, no more.
  machine::syscall(SYS_madvise, floor, chunk, MADV_HUGEPAGE);
  for (std::size_t i = first; i < fetch_count && fetches[i].start < floor + chunk; ++i) {
    const Piece piece = piece_of(fetches[i], floor);
    state_of(fetches[i], floor) = State::present;
    if (!read_at(fetches[i].fd, piece.offset, piece.start, piece.end)) {
      return false;
    }
  }
  return true;
}

/// What of the region lies in the chunk, in small pages. Where the file is mapped they cost less as
/// they are: a page each that is written to, none that is not.
bool bring_piece(const Fetch& region, const Piece& piece) {
  if (region.in_place) {
    return machine::syscall(SYS_mprotect, piece.start, piece.end - piece.start,
                            PROT_READ | PROT_WRITE) == 0;
  }
  return map_fresh(piece.start, piece.end, MAP_FIXED) &&
         read_at(region.fd, piece.offset, piece.start, piece.end);
}

/// Reads what is not in place and was not come to.
bool bring_rest(std::size_t at) {
  const Fetch& region = fetches[at];
  bool whole = true;
  for (std::uint64_t floor = floor_of(region.start); !region.in_place && floor < region.end;
       floor += chunk) {
    if (state_of(region, floor) == State::absent) {
      const Piece piece = piece_of(region, floor);
      whole = fetch(piece.start) && whole;
    }
  }
  return whole;
}

/// False: it is there, or has been brought by the other process meanwhile.
bool is_ours_to_bring(std::atomic<State>& state) {
  for (;;) {
    State expected = State::absent;
    if (state.compare_exchange_strong(expected, State::coming)) {
      return true;
    }
    if (expected == State::present) {
      return false;
    }
    machine::syscall(SYS_sched_yield);
  }
}

} // namespace

bool add_fetch(const protocol::RegionRecord& region, int fd, bool in_place) {
  const bool another = kept_count == 0 || kept[kept_count - 1] != fd;
  if (fetch_count == fetches.size() || (another && kept_count == kept.size())) {
    return false;
  }
  Fetch fetch{region.start, region.end, region.offset, region.protection,
              fd,           in_place,   chunk_count};
  if (chunks_of(fetch) > states.size() - chunk_count) {
    return false;
  }
  if (another) {
    kept[kept_count++] = fd;
  }
  chunk_count += chunks_of(fetch);
  fetches[fetch_count++] = fetch;
  return true;
}

void fetch_in_place(bool yes) {
  in_place = yes;
}

bool keep_for_fetch(int fd) {
  for (std::size_t i = 0; i < kept_count; ++i) {
    if (kept[i] == fd) {
      return true;
    }
  }
  return false;
}

std::uint64_t fetches_waited_for() {
  return waited;
}

bool fetch_ahead(std::uint64_t address) {
  const std::uint64_t floor = floor_of(address);
  const std::size_t at = first_behind(floor);
  if (at == fetch_count || fetches[at].start > floor || fetches[at].end - floor < chunk ||
      (in_place && fetches[at].in_place)) {
    return false;
  }
  std::atomic<State>& state = state_of(fetches[at], floor);
  State expected = State::absent;
  if (!state.compare_exchange_strong(expected, State::coming)) {
    return false;
  }
  // The walk must not see half of it: it is read elsewhere.
  bool done = map_fresh(aside, aside + chunk, MAP_FIXED);
  if (done) {
    machine::syscall(SYS_madvise, aside, chunk, MADV_HUGEPAGE);
    done = read_at(fetches[at].fd, piece_of(fetches[at], floor).offset, aside, aside + chunk) &&
           machine::syscall(SYS_mremap, aside, chunk, chunk, MREMAP_MAYMOVE | MREMAP_FIXED,
                            floor) == static_cast<std::int64_t>(floor);
  }
  state = done ? State::present : State::absent;
  return done;
}

bool fetch(std::uint64_t address) {
  const std::size_t at = first_behind(address);
  if (at == fetch_count || address < fetches[at].start ||
      (address >= last_start && address < last_end)) {
    return false;
  }
  const std::uint64_t floor = floor_of(address);
  if (in_place && fetches[at].in_place) {
    const Piece piece = piece_of(fetches[at], floor);
    last_start = piece.start;
    last_end = piece.end;
    return open_in_place(piece.start, piece.end);
  }
  ++waited;
  if (!is_ours_to_bring(state_of(fetches[at], floor))) {
    last_start = floor;
    last_end = floor + chunk;
    return true;
  }
  const std::size_t first = first_behind(floor);
  if (claim(floor, first)) {
    last_start = floor;
    last_end = floor + chunk;
    return read_chunk(floor, first);
  }
  const Piece piece = piece_of(fetches[at], floor);
  last_start = piece.start;
  last_end = piece.end;
  state_of(fetches[at], floor) = State::present;
  return bring_piece(fetches[at], piece);
}

std::uint64_t finish_fetches() {
  end_read_ahead();
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < fetch_count; ++i) {
    failed += bring_rest(i) ? 0u : 1u;
  }
  for (std::size_t i = 0; i < lent_count; ++i) {
    failed +=
        machine::syscall(SYS_munmap, lent[i].start, lent[i].end - lent[i].start) == 0 ? 0u : 1u;
  }
  lent_count = 0;
  for (std::size_t i = 0; i < fetch_count; ++i) {
    const Fetch& region = fetches[i];
    failed += machine::syscall(SYS_mprotect, region.start, region.end - region.start,
                               region.protection) == 0
                  ? 0u
                  : 1u;
  }
  fetch_count = 0;
  return failed;
}

} // namespace pygc::replayer
