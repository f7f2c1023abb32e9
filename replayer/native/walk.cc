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
constexpr std::uint64_t word_bits = 64;
constexpr std::uint64_t pages_between_signs = 4; // of life
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

/// Of an object of a walked list that is not collected.
bool mark_listed(std::uint64_t object, std::uint64_t& prev) {
  if (!counts.on) {
    prev |= listed_bit;
    return true;
  }
  return put_count(object, listed_only) || stop(WalkStop::capacity);
}

/// update_refs of one object.
bool give_gc_refs(std::uint64_t object, std::uint64_t& prev, std::uint64_t refcount) {
  if (!counts.on) {
    prev = gc_prev_with(prev, refcount);
    return true;
  }
  return (refcount < largest_count &&
          put_count(object, counted_bit | (static_cast<std::uint32_t>(refcount) + count_bias))) ||
         stop(WalkStop::capacity);
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

/// Its blocks lie where the target's objects may.
bool is_page(const protocol::FoundPage& page) {
  if (page.blocks == 0 || page.stride == 0 || page.list >= request.list_count ||
      !is_node(page.first) ||
      (::pygc::machine::user_space_end - page.first) / page.stride < page.blocks - 1) {
    return false;
  }
  const std::uint64_t last = page.first + (page.blocks - 1) * page.stride;
  return is_node(last) && (last < protocol::own_start) == (page.first < protocol::own_start);
}

/// Memory that the debug allocator has filled: of no object yet, or no longer.
bool is_filled(std::uint64_t word) {
  return word == 0xcdcd'cdcd'cdcd'cdcdU || word == 0xdddd'dddd'dddd'ddddU;
}

/// A block that is in use.
bool take_block(std::uint64_t object, std::uint32_t list, std::uint64_t& last_type,
                protocol::WalkedType*& entry) {
  const std::uint8_t bits = field_of<std::uint8_t>(object, found.ob_gc_bits);
  const std::uint64_t type = at(object + run_state.setup.shape.ob_type);
  if ((bits & tracked_bit) == 0 || is_filled(type)) {
    return true;
  }
  if (type == 0 || !is_sound_count(found, object)) {
    return stop(WalkStop::object);
  }
  if (type != last_type) {
    entry = type_entry(type);
    last_type = type;
  }
  if (entry == nullptr) {
    return stop(WalkStop::capacity);
  }
  const bool frozen = (bits & frozen_bit) != 0;
  ++in_window<protocol::WalkedList>(request.lists)[frozen ? found.frozen_list : list].count;
  if (frozen || is_immortal(found, object)) {
    outcome.immortal += frozen ? 0 : 1;
    return mark_listed(object, at(object)); // no head: a count aside
  }
  return sample(object, type, *entry) && collect(object, at(object), refcount_of(found, object));
}

bool walk_page(const protocol::FoundPage& page) {
  if (!is_page(page)) {
    return stop(WalkStop::object);
  }
  const auto* words = in_window<std::uint64_t>(page.bits);
  std::uint64_t last_type = 0;
  protocol::WalkedType* entry = nullptr;
  for (std::uint64_t word = 0; word * word_bits < page.blocks; ++word) {
    const std::uint64_t first = page.first + word * word_bits * page.stride;
    for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<std::uint64_t>(__builtin_ctzll(bits));
      if (!take_block(first + bit * page.stride, page.list, last_type, entry)) {
        return false;
      }
    }
  }
  return true;
}

void walk_all() {
  if (found.biased != 0) {
    if (!counts.on || found.frozen_list >= request.list_count) { // there is no head for them
      stop(WalkStop::capacity);
      return;
    }
    const auto* pages = in_window<protocol::FoundPage>(found.pages);
    for (std::uint64_t i = 0; i < found.page_count && walk_page(pages[i]); ++i) {
      if (i % pages_between_signs == 0) {
        progress() = progress() + 1;
        read_ahead_of(pages[i].first);
      }
    }
    return;
  }
  auto* lists = in_window<protocol::WalkedList>(request.lists);
  for (std::uint32_t i = 0; i < request.list_count && walk_list(lists[i]); ++i) {
  }
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

const protocol::FoundWalk& last_walk() {
  return found;
}

} // namespace pygc::replayer
