#include "replayer/emulated/fault_guard.h"

#include <array>
#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::replayer {
namespace {

// One instruction touches a few pages at most, and the emulator stops behind it.
constexpr std::size_t max_opened = 16;

struct Opened {
  std::byte* page = nullptr;
  int protection = PROT_NONE; // what it was
  std::array<std::byte, page_size> content{};
};

const GuestMemory* guarded = nullptr;
FaultListener* listening = nullptr;
std::array<Opened, max_opened> opened;
std::size_t opened_count = 0;

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

void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  auto* host = static_cast<std::byte*>(info->si_addr);
  const GuestArea* area = area_of(host);
  if (signal != SIGSEGV || listening == nullptr || area == nullptr || opened_count == max_opened) {
    crashed();
  }
  const std::uint64_t address = area->start + static_cast<std::uint64_t>(host - area->host);
  const GuestRegion* region = guarded->find(address);
  Opened& entry = opened[opened_count++];
  entry.page = area->host + (address / page_size * page_size - area->start);
  entry.protection = PROT_NONE;
  if (region != nullptr) {
    entry.protection = region->protection & (PROT_READ | PROT_WRITE);
    std::memcpy(entry.content.data(), entry.page, page_size);
  }
  if (::mprotect(entry.page, page_size, PROT_READ | PROT_WRITE) != 0) {
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

bool install_fault_guard(const GuestMemory& memory) {
  guarded = &memory;
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
      ::madvise(entry.page, page_size, MADV_DONTNEED);
    } else {
      std::memcpy(entry.page, entry.content.data(), page_size);
    }
    if (::mprotect(entry.page, page_size, entry.protection) != 0) {
      crashed();
    }
  }
}

} // namespace pygc::replayer
