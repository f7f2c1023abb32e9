#include "replayer/native/demand.h"

#include "replayer/native/machine.h"

#include <array>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

struct Demand {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint32_t protection = 0;
};

std::array<Demand, 32768> demands;
std::size_t demand_count = 0;

// What was brought last: a fault there once more is one that more memory does not mend.
protocol::Page last_brought;

const Demand* demand_at(std::uint64_t address) {
  std::size_t first = 0;
  std::size_t last = demand_count;
  while (first < last) {
    const std::size_t middle = (first + last) / 2;
    if (address >= demands[middle].end) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first < demand_count && address >= demands[first].start ? &demands[first] : nullptr;
}

template <class T> bool exchange(std::int64_t call, T& packet) {
  return machine::syscall(call, protocol::control_fd, reinterpret_cast<std::uint64_t>(&packet),
                          sizeof(packet)) == sizeof(packet);
}

} // namespace

bool add_demand(const protocol::RegionRecord& region) {
  if (demand_count == demands.size()) {
    return false;
  }
  demands[demand_count++] = {region.start, region.end, region.protection};
  return true;
}

bool has_demand() {
  return demand_count != 0;
}

bool bring(std::uint64_t address) {
  const Demand* demand = demand_at(address);
  if (demand == nullptr || (address >= last_brought.start && address < last_brought.end)) {
    return false;
  }
  protocol::Reply need;
  need.kind = protocol::Kind::need;
  need.next = address;
  protocol::Page page;
  if (!exchange(SYS_write, need) || !exchange(SYS_read, page)) {
    machine::exit_process(protocol::exit_done); // the analysis is gone
  }
  last_brought = page;
  const bool sane = page.kind == protocol::Kind::page && page.start >= demand->start &&
                    page.end <= demand->end && page.start <= address && address < page.end;
  return sane && page.readable != 0 &&
         machine::syscall(SYS_mprotect, page.start, page.end - page.start, demand->protection) == 0;
}

} // namespace pygc::replayer
