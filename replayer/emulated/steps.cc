#include "replayer/emulated/steps.h"

#include "replayer/shared/gc_refs.h"
#include "replayer/shared/own_range.h"

#include <csignal>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Command;
using protocol::Outcome;
using protocol::Reply;

constexpr int read_write = PROT_WRITE; // writable memory is readable too

} // namespace

std::uint64_t traverse_function(const Workplace& place, std::uint64_t object,
                                protocol::IncidentRecord& incident) {
  incident = {0, object, 0, 0, Outcome::not_run};
  const std::uint64_t type_field = object + place.setup.shape.ob_type;
  const auto type = place.memory.load(type_field);
  if (!type) {
    incident.address = type_field;
    incident.number = SIGSEGV;
    return 0;
  }
  const std::uint64_t traverse_field = *type + place.setup.shape.tp_traverse;
  const auto function = place.memory.load(traverse_field);
  if (!function) {
    incident.address = traverse_field;
    incident.number = SIGSEGV;
    return 0;
  }
  return *function;
}

Reply clear(const Workplace& place, const Command& command) {
  if (const protocol::Answer& lent = command.answers[0]; lent.function != 0) {
    if (auto* word = place.memory.word(lent.function, PROT_WRITE)) {
      *word = lent.value;
    }
  }
  const auto* objects = place.in_window<std::uint64_t>(command.objects);
  for (std::uint64_t i = command.first; i < command.end; ++i) {
    if (auto* prev = place.memory.word(place.gc_prev(objects[i]), read_write)) {
      *prev &= ~collecting_bit;
    }
  }
  Reply reply;
  reply.next = command.end;
  return reply;
}

Reply update(const Workplace& place, const Command& command) {
  auto* objects = place.in_window<std::uint64_t>(command.objects);
  const auto* refcounts = place.in_window<std::uint64_t>(command.counts);
  auto* incidents = place.in_window<protocol::IncidentRecord>(command.incidents);
  Reply reply;
  std::uint64_t i = command.first;
  for (; i < command.end && reply.incidents < command.incident_capacity; ++i) {
    const std::uint64_t address = place.gc_prev(objects[i]);
    auto* prev = place.memory.word(address, read_write);
    if (prev != nullptr) {
      *prev = gc_prev_with(*prev, refcounts[i]);
      continue;
    }
    const bool own = is_own(objects[i]);
    incidents[reply.incidents++] = {0, own ? objects[i] : address, own ? 0 : SIGSEGV,
                                    static_cast<std::uint32_t>(i), Outcome::not_run};
    objects[i] = 0; // out of the round
  }
  reply.next = i;
  return reply;
}

Reply collect(const Workplace& place, const Command& command) {
  const auto* objects = place.in_window<std::uint64_t>(command.objects);
  auto* gc_refs = place.in_window<std::int64_t>(command.counts);
  for (std::uint64_t i = command.first; i < command.end; ++i) {
    gc_refs[i] = protocol::gc_refs_lost;
    auto* prev =
        objects[i] == 0 ? nullptr : place.memory.word(place.gc_prev(objects[i]), read_write);
    if (prev != nullptr && (*prev & collecting_bit) != 0) {
      gc_refs[i] = gc_refs_of(*prev);
      *prev &= ~collecting_bit;
    }
  }
  Reply reply;
  reply.next = command.end;
  return reply;
}

} // namespace pygc::replayer
