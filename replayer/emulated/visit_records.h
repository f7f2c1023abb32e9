// What the jobs have in common that list visits with their slots.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/guest_memory.h"
#include "replayer/emulated/slot_table.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pygc::replayer {

/// Tells the table each pointer of what was loaded.
inline void note_loads(SlotTable& slots, const GuestMemory& memory, std::uint64_t address,
                       unsigned size) {
  for (unsigned done = 0; done + sizeof(std::uint64_t) <= size; done += sizeof(std::uint64_t)) {
    if (const std::byte* from = memory.view(address + done)) {
      std::uint64_t word = 0;
      std::memcpy(&word, from, sizeof(word));
      slots.loaded(word, address + done);
    }
  }
}

/// Of a visit, with the slot that it takes.
inline replay::protocol::TraceRecord record_visit(SlotTable& slots, std::uint64_t object,
                                                  std::uint64_t request) {
  const auto slot = slots.take(object);
  return {.object = object,
          .slot = slot.address,
          .request = static_cast<std::uint32_t>(request),
          .counted = 0,
          .tagged = slot.tagged,
          .repeated = slot.repeated,
          .other = 0,
          .reserved = 0};
}

} // namespace pygc::replayer
