#include "replayer/native/walk.h"

#include "common/machine/machine.h"
#include "replayer/native/counts.h"
#include "replayer/native/fetch.h"
#include "replayer/native/machine.h"
#include "replayer/native/map.h"
#include "replayer/native/read_ahead.h"
#include "replayer/native/refcounts.h"
#include "replayer/native/run_state.h"
#include "replayer/native/visitors.h"
#include "replayer/shared/gc_refs.h"
#include "replayer/shared/own_range.h"

#include <array>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::WalkStop;

// However large the first page is, nothing lies in it.
constexpr std::uint64_t lowest_address = ::pygc::machine::least_page_size;
// Debian's PyGC_Head is aligned to 4 in some builds, upstream's to 8.
constexpr std::uint64_t head_alignment = 4;
constexpr std::uint64_t max_refcount = std::uint64_t{1} << 39;
constexpr unsigned max_bases = 1000;
constexpr std::size_t max_probes = 256;
constexpr std::uint64_t least_type_size = 256;

protocol::FoundWalk found;
protocol::Walk& request = found.walk;
protocol::WalkOutcome outcome;
std::uint64_t collected = 0;

std::array<std::uint32_t, std::size_t{1} << 17> type_numbers;

std::uint64_t& at(std::uint64_t address) {
  return *reinterpret_cast<std::uint64_t*>(address);
}

volatile std::uint64_t& progress() {
  return in_window<protocol::WindowHeader>(0)->progress;
}

bool stop(WalkStop why) {
  outcome.stop = why;
  return false;
}

bool is_node(std::uint64_t address) {
  return address >= lowest_address && address < ::pygc::machine::user_space_end &&
         address % head_alignment == 0 && !is_own(address);
}

bool derives(std::uint64_t type) {
  for (unsigned depth = 0; type != 0 && depth < max_bases; ++depth) {
    if (type == request.sampled_type) {
      return true;
    }
    type = at(type + request.tp_base);
  }
  return false;
}

/// Null: no room.
protocol::WalkedType* type_entry(std::uint64_t type) {
  auto* types = in_window<protocol::WalkedType>(request.types);
  // Types lie beside one another, each larger than that: few pages of the table are touched.
  std::uint64_t place = type / least_type_size;
  for (std::size_t probe = 0; probe < max_probes; ++probe, ++place) {
    std::uint32_t& number = type_numbers[place % type_numbers.size()]; // from 1
    if (number != 0 && types[number - 1].type == type) {
      return &types[number - 1];
    }
    if (number == 0) {
      if (outcome.type_count == request.type_capacity) {
        return nullptr;
      }
      types[outcome.type_count] = {type, 0, request.sampled_type != 0 && derives(type) ? 1u : 0u};
      number = ++outcome.type_count;
      return &types[number - 1];
    }
  }
  return nullptr;
}

bool sample(std::uint64_t object, std::uint64_t type, protocol::WalkedType& entry) {
  if (entry.sampled >= request.sample_size && entry.all == 0) {
    return true;
  }
  if (outcome.sample_count == request.sample_capacity) {
    return stop(WalkStop::capacity);
  }
  ++entry.sampled;
  in_window<protocol::WalkedSample>(request.samples)[outcome.sample_count++] = {object, type,
                                                                                collected};
  return true;
}

/// In _gc_prev, in the replayer's memory alone: an object of a walked list that is not collected.
constexpr std::uint64_t listed_bit = std::uint64_t{1} << 63;
// Of ob_refcnt. No reference count comes here and no immortal one (3.12 and later) either; the
// address of the next free block, which pymalloc writes in its place, does.
constexpr std::uint64_t unused_count_bits = std::uint64_t{0xffff} << 32;

/// Of an object of a walked list that is not collected.
bool mark_listed(std::uint64_t object, std::uint64_t& prev) {
  if (!counts.on) {
    prev |= listed_bit;
    return true;
  }
  std::uint32_t* count = make_count(object);
  if (count == nullptr) {
    return stop(WalkStop::capacity);
  }
  *count = listed_only;
  return true;
}

/// update_refs of one object.
bool give_gc_refs(std::uint64_t object, std::uint64_t& prev, std::uint64_t refcount) {
  if (!counts.on) {
    prev = gc_prev_with(prev, refcount);
    return true;
  }
  std::uint32_t* count = refcount < largest_count ? make_count(object) : nullptr;
  if (count == nullptr || *count != 0) { // another object's
    return stop(WalkStop::capacity);
  }
  *count = counted_bit | (static_cast<std::uint32_t>(refcount) + count_bias);
  return true;
}

/// Puts it among those that are collected.
bool collect(std::uint64_t object, std::uint64_t& prev, std::uint64_t refcount) {
  if (collected == request.object_capacity) {
    return stop(WalkStop::capacity);
  }
  if (!give_gc_refs(object, prev, refcount)) {
    return false;
  }
  reinterpret_cast<std::uint64_t*>(protocol::own_nodes)[collected++] = object;
  outcome.refcounts += refcount;
  return true;
}

/// Reads one object, and gives it its gc_refs when it is collected.
bool take_object(std::uint64_t node, std::uint64_t& prev, bool is_collected,
                 std::uint64_t& last_type, protocol::WalkedType*& entry) {
  const std::uint64_t object = node + run_state.setup.shape.gc_head_size;
  const std::uint64_t stored = at(object + request.ob_refcnt);
  const std::uint64_t type = at(object + run_state.setup.shape.ob_type);
  const std::uint64_t refcount = stored & request.refcount_mask;
  if (stored == 0 || type == 0) {
    return stop(WalkStop::object);
  }
  if (type != last_type) {
    entry = type_entry(type);
    last_type = type;
  }
  if (entry == nullptr) {
    return stop(WalkStop::capacity);
  }
  const bool immortal = request.immortal != 0 && static_cast<std::int32_t>(stored) < 0;
  if (is_collected && immortal) {
    ++outcome.immortal;
  }
  if (!is_collected || immortal) {
    return mark_listed(object, prev);
  }
  if (refcount > max_refcount) {
    return stop(WalkStop::object);
  }
  return sample(object, type, *entry) && collect(object, prev, refcount);
}

/// Ends in any case: no node can be reached by two links and agree with both.
bool walk_list(protocol::WalkedList& list) {
  if (!is_node(list.head)) {
    return stop(WalkStop::link);
  }
  const std::uint64_t gc_next = request.gc_next;
  const std::uint64_t gc_prev = run_state.setup.shape.gc_prev;
  if (list.collected == 0 && at(list.head + gc_next) == 0 && at(list.head + gc_prev) == 0) {
    return true; // the permanent generation, never initialised
  }
  std::uint64_t before = list.head;
  std::uint64_t last_type = 0;
  protocol::WalkedType* entry = nullptr;
  std::uint64_t count = 0;
  std::uint64_t node = at(list.head + gc_next); // no object's: without flags
  while (node != list.head) {
    if (!is_node(node)) {
      return stop(WalkStop::link);
    }
    const std::uint64_t next = at(node + gc_next);
    if ((next & link_flags) != 0) { // left by a collection, or an old space's
      return stop(WalkStop::link);
    }
    __builtin_prefetch(reinterpret_cast<const void*>(next), 1);
    std::uint64_t& prev = at(node + gc_prev);
    if ((prev & collecting_bit) != 0 || (prev & ~link_flags) != before) {
      return stop(WalkStop::link);
    }
    if (!take_object(node, prev, list.collected != 0, last_type, entry)) {
      return false;
    }
    if (++count % (1 << 10) == 0) {
      progress() = progress() + 1;
      read_ahead_of(node);
    }
    before = node;
    node = next;
  }
  list.count = count;
  return at(list.head + gc_prev) == before || stop(WalkStop::link);
}

/// An object that the analysis has found.
bool take_found(std::uint64_t object, bool is_collected) {
  if (!is_node(object)) {
    return stop(WalkStop::object);
  }
  if (!is_collected) {
    return mark_listed(object, at(object)); // no head: a count aside
  }
  return collect(object, at(object), refcount_of(found, object));
}

bool take_run(const protocol::FoundRun& run) {
  const auto* words = in_window<std::uint64_t>(run.bits);
  for (std::uint32_t word = 0; word < run.words; ++word) {
    constexpr std::uint64_t step = 64 * protocol::found_granule;
    for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      const std::uint64_t object =
          run.first + word * step +
          static_cast<std::uint64_t>(__builtin_ctzll(bits)) * protocol::found_granule;
      if (!take_found(object, run.collected != 0)) {
        return false;
      }
    }
  }
  progress() = progress() + 1;
  read_ahead_of(run.first);
  return true;
}

void walk_all() {
  auto* lists = in_window<protocol::WalkedList>(request.lists);
  for (std::uint32_t i = 0; i < request.list_count; ++i) {
    if (!walk_list(lists[i])) {
      return;
    }
  }
  if (found.run_count != 0 && !counts.on) { // there is no head for them
    stop(WalkStop::capacity);
    return;
  }
  const auto* runs = in_window<protocol::FoundRun>(found.runs);
  for (std::uint64_t i = 0; i < found.run_count; ++i) {
    if (!take_run(runs[i])) {
      return;
    }
  }
}

bool is_tracked_elsewhere(std::uint64_t object, std::uint64_t type) {
  const auto& setup = run_state.setup;
  if (at(type + setup.shape.tp_is_gc) != 0) { // not each object has a head
    return false;
  }
  if (found.biased != 0) {
    const std::uint32_t* count = count_at(object);
    return is_tracked(found, object) && (count == nullptr || *count == 0);
  }
  const std::uint64_t node = object - setup.shape.gc_head_size;
  if (at(node + request.gc_next) == 0) {
    return false;
  }
  const std::uint32_t* count = counts.on ? count_at(object) : nullptr;
  return counts.on ? count == nullptr || *count == 0
                   : (at(node + setup.shape.gc_prev) & listed_bit) == 0;
}

} // namespace

std::uint64_t walk_lists(const protocol::FoundWalk& walk) {
  found = walk;
  outcome = {};
  collected = 0;
  run_state.walked = true;
  run_state.tuple_type = request.tuple_type;
  run_state.dict_type = request.dict_type;
  counts.on = request.counts_aside != 0;
  fetch_in_place(counts.on);
  if (!map_walked(request.object_capacity)) {
    stop(WalkStop::capacity);
  } else {
    run_state.ended = false;
    run_state.mode = Mode::writing;
    machine::run_on_stack(&walk_all, target_stack_top());
    run_state.mode = Mode::idle;
    if (run_state.ended) {
      stop(WalkStop::fault);
    }
  }
  *in_window<protocol::WalkOutcome>(request.outcome) = outcome;
  return collected;
}

bool is_suspect(std::uint64_t object, std::uint64_t type, bool has_gc_head) {
  if (found.biased != 0) {
    return !is_immortal(found, object) &&
           (static_cast<std::int64_t>(refcount_of(found, object)) <= 0 ||
            (has_gc_head && is_tracked_elsewhere(object, type)));
  }
  const std::uint64_t stored = at(object + request.ob_refcnt);
  return (stored & request.refcount_mask) == 0 || (stored & unused_count_bits) != 0 ||
         (has_gc_head && is_tracked_elsewhere(object, type));
}

bool is_unsound_tuple(std::uint64_t tuple) {
  if (refcount_of(found, tuple) < 1) {
    return false;
  }
  const std::uint64_t size = at(tuple + request.ob_size);
  const auto* items = reinterpret_cast<const std::uint64_t*>(tuple + request.tuple_items);
  for (std::uint64_t i = 0; i < size; ++i) { // beyond its memory a fault ends the traversal
    if (items[i] == 0) {
      return true;
    }
  }
  return false;
}

bool is_unsound_dict(std::uint64_t dict) {
  const std::uint64_t values = at(dict + request.ma_values);
  if (values == 0) {
    return false;
  }
  if (request.dk_kind == 0) {
    const bool aligned = values % sizeof(std::uint64_t) == 0;
    if (aligned) { // where there is no memory a fault ends the traversal
      static_cast<void>(*reinterpret_cast<const volatile std::uint64_t*>(values));
    }
    return !aligned;
  }
  constexpr std::uint8_t split_keys = 2; // DICT_KEYS_SPLIT
  return *reinterpret_cast<const std::uint8_t*>(at(dict + request.ma_keys) + request.dk_kind) !=
         split_keys;
}

const protocol::FoundWalk& last_walk() {
  return found;
}

} // namespace pygc::replayer
