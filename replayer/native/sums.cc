// What is told of the objects of a walk, one by one and as sums.
#include "replayer/native/counts.h"
#include "replayer/native/refcounts.h"
#include "replayer/native/run_state.h"
#include "replayer/native/visitors.h"
#include "replayer/native/walk.h"
#include "replayer/shared/gc_refs.h"

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

constexpr std::uint64_t lookahead = 12;

const std::uint64_t& at(std::uint64_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

/// Of an object that was collected; gc_refs_lost: it is not any more.
std::int64_t gc_refs_after(std::uint64_t object) {
  if (counts.on) {
    return counted_gc_refs(object);
  }
  const auto& shape = run_state.setup.shape;
  const std::uint64_t prev = at(object - shape.gc_head_size + shape.gc_prev);
  return (prev & collecting_bit) != 0 ? gc_refs_of(prev) : protocol::gc_refs_lost;
}

/// For gc_refs_after(), and for the reference count.
void prefetch_counts(std::uint64_t object) {
  if (counts.on) {
    __builtin_prefetch(count_at(object));
    __builtin_prefetch(reinterpret_cast<const void*>(object));
  } else {
    __builtin_prefetch(reinterpret_cast<const void*>(object - run_state.setup.shape.gc_head_size));
  }
}

} // namespace

void find_objects() {
  const auto& command = run_state.command;
  run_state.index = command.end; // a fault ends all of it
  const auto* objects = in_window<std::uint64_t>(command.objects);
  auto* told = in_window<std::uint64_t>(command.records);
  for (std::uint64_t i = 0; i < command.end; ++i) {
    told[i] = is_collecting(objects[i]) ? 1 : 0;
  }
}

void scan_objects() {
  const auto& command = run_state.command;
  run_state.index = command.end; // a fault ends all of it
  const auto* objects = in_window<std::uint64_t>(command.objects);
  const protocol::FoundWalk& walk = last_walk();
  protocol::Scan sums;
  for (std::uint64_t i = 0; i < command.end; ++i) {
    if (i + lookahead < command.end) {
      prefetch_counts(objects[i + lookahead]);
    }
    const std::uint64_t refcount = refcount_of(walk, objects[i]);
    const std::int64_t refs = gc_refs_after(objects[i]);
    const bool told = refs != protocol::gc_refs_lost && refs <= static_cast<std::int64_t>(refcount);
    sums.lost += told ? 0 : 1;
    sums.negative += refs < 0 ? 1 : 0;
    sums.refcounts += refcount;
    sums.gc_refs += static_cast<std::uint64_t>(refs);
  }
  sums.suspects = run_state.suspects;
  *in_window<protocol::Scan>(command.records) = sums;
}

void list_objects() {
  const auto& command = run_state.command;
  run_state.index = command.end; // a fault ends all of it
  const auto& shape = run_state.setup.shape;
  const protocol::FoundWalk& walk = last_walk();
  const auto* objects = in_window<std::uint64_t>(command.objects);
  auto* listed = in_window<protocol::ListedObject>(command.records);
  const std::uint64_t left = command.end - command.first;
  const std::uint64_t count = left < command.record_capacity ? left : command.record_capacity;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t place = command.first + i;
    if (place + lookahead < command.end) {
      prefetch_counts(objects[place + lookahead]);
    }
    const std::uint64_t object = objects[place];
    listed[i] = {.object = object,
                 .type = at(object + shape.ob_type),
                 .refcount = refcount_of(walk, object),
                 .gc_refs = gc_refs_after(object)};
  }
  run_state.records = count;
  run_state.index = command.first + count;
}

} // namespace pygc::replayer
