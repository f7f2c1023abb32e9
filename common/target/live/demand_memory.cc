#include "common/target/live/demand_memory.h"

#include "common/machine/page.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::target {
namespace {

// A page comes with its neighbours: a question to another machine costs as much as some of them.
constexpr std::uint64_t first_block = std::uint64_t{16} << 10U;
// What follows on what is there comes in larger and larger blocks.
constexpr std::uint64_t largest_block = std::uint64_t{1} << 20U;

} // namespace

Result<std::unique_ptr<DemandMemory>> DemandMemory::create(std::vector<Segment> segments,
                                                           Fetch fetch) {
  std::uint64_t end = 0;
  for (Segment& segment : segments) {
    segment.offset = end;
    end += segment.saved;
  }
  UniqueFd file(::memfd_create("pygc-memory", MFD_CLOEXEC));
  if (!file) {
    return fail(ErrorKind::io, 0,
                std::string("cannot make a file in memory: ") + std::strerror(errno));
  }
  if (::ftruncate(file.get(), static_cast<off_t>(end)) != 0) {
    return fail(ErrorKind::limit, 0,
                std::string("the process's memory is too large to be examined: ") +
                    std::strerror(errno));
  }
  return std::unique_ptr<DemandMemory>(
      new DemandMemory(std::move(segments), std::move(fetch), std::move(file)));
}

std::map<std::uint64_t, std::uint64_t>::const_iterator
DemandMemory::run_at(std::uint64_t offset) const {
  auto after = present_.upper_bound(offset);
  if (after == present_.begin()) {
    return present_.end();
  }
  --after;
  return offset < after->second ? after : present_.end();
}

void DemandMemory::mark(std::uint64_t start, std::uint64_t end) {
  auto after = present_.upper_bound(start);
  if (after != present_.begin() && std::prev(after)->second >= start) {
    --after;
    start = after->first;
    end = std::max(end, after->second);
    after = present_.erase(after);
  }
  while (after != present_.end() && after->first <= end) {
    end = std::max(end, after->second);
    after = present_.erase(after);
  }
  present_.emplace(start, end);
}

bool DemandMemory::fill(const Segment& segment, std::uint64_t start, std::uint64_t end) {
  buffer_.resize(end - start);
  if (!fetch_(segment, segment.start + (start - segment.offset), buffer_)) {
    return false;
  }
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t n = ::pwrite(file_.get(), buffer_.data() + done, buffer_.size() - done,
                               static_cast<off_t>(start + done));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  traffic_.fetched += buffer_.size();
  mark(start, end);
  return true;
}

Pager::Run DemandMemory::bring(std::uint64_t offset) {
  const std::uint64_t page = machine::page_size();
  offset = offset / page * page;
  if (run_at(offset) == present_.end()) {
    const auto after = std::ranges::upper_bound(segments_, offset, {}, &Segment::offset);
    if (after == segments_.begin()) {
      return {.start = offset, .end = offset + page, .readable = false};
    }
    const Segment& segment = *std::prev(after);
    const std::uint64_t segment_end = segment.offset + segment.saved;
    std::uint64_t start = std::max(segment.offset, offset / first_block * first_block);
    std::uint64_t size = first_block;
    if (const auto before = offset == 0 ? present_.end() : run_at(offset - 1);
        before != present_.end()) {
      start = offset;
      size = std::clamp(before->second - before->first, first_block, largest_block);
    }
    std::uint64_t end = std::min(segment_end, start + size);
    if (const auto next = present_.upper_bound(offset); next != present_.end()) {
      end = std::min(end, next->first);
    }
    if (const auto in_the_way = run_at(start); in_the_way != present_.end()) {
      start = in_the_way->second;
    }
    if (!fill(segment, start, end) && !fill(segment, offset, offset + page)) {
      holes_.insert(offset);
      traffic_.unreadable += page;
      mark(offset, offset + page);
    }
  }
  const auto run = run_at(offset);
  return {.start = run->first, .end = run->second, .readable = !holes_.contains(offset)};
}

} // namespace pygc::target
