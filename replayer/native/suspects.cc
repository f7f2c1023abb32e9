// What a walk's visitor, and its traversals, are not to take for sound.
#include "replayer/native/counts.h"
#include "replayer/native/refcounts.h"
#include "replayer/native/run_state.h"
#include "replayer/native/walk.h"

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

std::uint64_t at(std::uint64_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

bool is_tracked_elsewhere(const protocol::FoundWalk& found, std::uint64_t object,
                          std::uint64_t type) {
  const auto& setup = run_state.setup;
  if (at(type + setup.shape.tp_is_gc) != 0) { // not each object has a head
    return false;
  }
  if (found.biased != 0) {
    const std::uint32_t* count = count_at(object);
    return is_tracked(found, object) && (count == nullptr || !is_listed(*count, object));
  }
  const std::uint64_t node = object - setup.shape.gc_head_size;
  if (at(node + found.walk.gc_next) == 0) {
    return false;
  }
  const std::uint32_t* count = counts.on ? count_at(object) : nullptr;
  return counts.on ? count == nullptr || !is_listed(*count, object)
                   : (at(node + setup.shape.gc_prev) & listed_bit) == 0;
}

/// A static type that was never readied has no type.
bool is_type(std::uint64_t type) {
  const auto& shape = run_state.setup.shape;
  const std::uint64_t metatype = at(type + shape.ob_type);
  return metatype == 0 || (at(metatype + shape.tp_flags) >> shape.tp_flags_type_bit & 1) != 0;
}

} // namespace

bool is_suspect(std::uint64_t object, std::uint64_t type, bool has_gc_head) {
  if (!is_type(type)) {
    return true;
  }
  const protocol::FoundWalk& found = last_walk();
  if (found.biased != 0) {
    return !is_immortal(found, object) &&
           (static_cast<std::int64_t>(refcount_of(found, object)) <= 0 ||
            (has_gc_head && is_tracked_elsewhere(found, object, type)));
  }
  const std::uint64_t stored = at(object + found.walk.ob_refcnt);
  return (stored & found.walk.refcount_mask) == 0 || (stored & protocol::unused_count_bits) != 0 ||
         (has_gc_head && is_tracked_elsewhere(found, object, type));
}

bool is_unsound_tuple(std::uint64_t tuple) {
  const protocol::FoundWalk& found = last_walk();
  if (refcount_of(found, tuple) < 1) {
    return false;
  }
  const std::uint64_t size = at(tuple + found.walk.ob_size);
  const auto* items = reinterpret_cast<const std::uint64_t*>(tuple + found.walk.tuple_items);
  for (std::uint64_t i = 0; i < size; ++i) { // beyond its memory a fault ends the traversal
    if (items[i] == 0) {
      return true;
    }
  }
  return false;
}

bool is_unsound_dict(std::uint64_t dict) {
  const protocol::Walk& request = last_walk().walk;
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

} // namespace pygc::replayer
