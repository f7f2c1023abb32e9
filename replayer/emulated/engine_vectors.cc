// The engine's side of the instructions that are not the emulator's: their accesses to
// memory, checked as the emulator's are.
#include "replayer/emulated/engine.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sys/mman.h>

namespace pygc::replayer {

namespace protocol = replay::protocol;
using protocol::Outcome;

void Engine::execute_supplement(std::uint64_t pc, std::span<const std::byte> bytes) {
  if (supplement_->execute(pc, bytes) == Supplement::Result::unknown) {
    stop(Outcome::unsupported_instruction, 0, SIGILL);
  }
}

std::byte* Engine::access(std::uint64_t address, std::size_t& size, bool write) {
  if (in_stack(address)) {
    size = std::min<std::size_t>(size, stack_top - address);
    return stack_ + (address - protocol::own_stack);
  }
  const GuestRegion* region = memory_.find(address);
  if (region == nullptr || (write && (region->protection & PROT_WRITE) == 0)) {
    stop(region != nullptr ? Outcome::write : Outcome::fault, address, SIGSEGV);
    return nullptr;
  }
  size = std::min<std::size_t>(size, region->end - address);
  if (write) {
    job_->store(pc_, address, static_cast<unsigned>(size));
  } else {
    job_->load(address, static_cast<unsigned>(size));
  }
  return region->host + (address - region->start);
}

bool Engine::read(std::uint64_t address, std::span<std::byte> to) {
  while (!to.empty()) {
    std::size_t size = to.size();
    const std::byte* from = access(address, size, false);
    if (from == nullptr) {
      return false;
    }
    std::memcpy(to.data(), from, size);
    to = to.subspan(size);
    address += size;
  }
  return true;
}

bool Engine::write(std::uint64_t address, std::span<const std::byte> from) {
  while (!from.empty()) {
    std::size_t size = from.size();
    std::byte* to = access(address, size, true);
    if (to == nullptr) {
      return false;
    }
    std::memcpy(to, from.data(), size);
    from = from.subspan(size);
    address += size;
  }
  return true;
}

} // namespace pygc::replayer
