#include "replayer/native/demand.h"

#include "replayer/native/machine.h"
#include "replayer/shared/demand.h"

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
  const protocol::Page* page =
      demand == nullptr ? nullptr : bring_page(address, demand->start, demand->end);
  return page != nullptr && machine::syscall(SYS_mprotect, page->start, page->end - page->start,
                                             demand->protection) == 0;
}

} // namespace pygc::replayer
