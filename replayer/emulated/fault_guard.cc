#include "replayer/emulated/fault_guard.h"

#include "common/machine/page.h"
#include "replayer/shared/demand.h"

#include <array>
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using ::pygc::machine::page_down;
using ::pygc::machine::page_size;

// One instruction touches a few pages at most, and the emulator stops behind it.
constexpr std::size_t max_opened = 16;

struct Opened {
  std::byte* page = nullptr;
  int protection = PROT_NONE;   // what it was
  std::byte* content = nullptr; // what was there; room for a page
};

GuestMemory* guarded = nullptr;
FaultListener* listening = nullptr;
std::array<Opened, max_opened> opened;
std::size_t opened_count = 0;
std::vector<std::byte> contents; // of all that are open: a signal handler allocates nothing

[[noreturn]] void crashed() {
  ::_exit(replay::protocol::exit_crashed);
}

const GuestArea* area_of(const std::byte* host) {
  for (const auto& area : guarded->areas()) {
    if (host >= area.host && host < area.host + (area.end - area.start)) {
      return &area;
    }
  }
  return nullptr;
}

/// Has the analysis bring memory that comes on demand. False: it is not that, or cannot be had.
bool bring(const GuestArea& area, std::uint64_t address) {
  const GuestRegion* region = guarded->find(address);
  if (region == nullptr || !region->on_demand) {
    return false;
  }
  const protocol::Page* page = bring_page(address, region->start, region->end);
  return page != nullptr &&
         ::mprotect(area.host + (page->start - area.start), page->end - page->start,
                    region->protection & (PROT_READ | PROT_WRITE)) == 0;
}

void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  auto* host = static_cast<std::byte*>(info->si_addr);
  const GuestArea* area = area_of(host);
  const std::uint64_t address =
      area == nullptr ? 0 : area->start + static_cast<std::uint64_t>(host - area->host);
  if (signal == SIGSEGV && area != nullptr && (guarded->fill(address) || bring(*area, address))) {
    return; // the access is carried out again
  }
  if (signal != SIGSEGV || listening == nullptr || area == nullptr || opened_count == max_opened) {
    crashed();
  }
  const GuestRegion* region = guarded->find(address);
  if (region != nullptr && region->on_demand && is_known_missing(address)) {
    region = nullptr;
  }
  Opened& entry = opened[opened_count++];
  entry.page = area->host + (page_down(address) - area->start);
  entry.protection = PROT_NONE;
  if (region != nullptr) {
    entry.protection = region->protection & (PROT_READ | PROT_WRITE);
    std::memcpy(entry.content, entry.page, page_size());
  }
  if (::mprotect(entry.page, page_size(), PROT_READ | PROT_WRITE) != 0) {
    crashed();
  }
  listening->memory_fault(address, region != nullptr);
}

bool handle(int signal) {
  struct sigaction action{};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  return ::sigaction(signal, &action, nullptr) == 0;
}

} // namespace

bool install_fault_guard(GuestMemory& memory) {
  guarded = &memory;
  contents.resize(max_opened * page_size());
  for (std::size_t i = 0; i < max_opened; ++i) {
    opened[i].content = contents.data() + i * page_size();
  }
  return handle(SIGSEGV) && handle(SIGBUS);
}

FaultScope::FaultScope(FaultListener& listener) {
  listening = &listener;
}

FaultScope::~FaultScope() {
  listening = nullptr;
  while (opened_count > 0) {
    const Opened& entry = opened[--opened_count];
    if (entry.protection == PROT_NONE) {
      ::madvise(entry.page, page_size(), MADV_DONTNEED);
    } else {
      std::memcpy(entry.page, entry.content, page_size());
    }
    if (::mprotect(entry.page, page_size(), entry.protection) != 0) {
      crashed();
    }
  }
}

} // namespace pygc::replayer
