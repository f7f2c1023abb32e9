#include "common/heap/heap.h"

#include "common/base/huge_pages.h"
#include "common/machine/machine.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>

namespace pygc::heap {
namespace {

constexpr std::size_t object_limit = std::size_t{1}
                                     << 31; // arrays are indexed by 32 bits elsewhere
constexpr std::size_t cancel_interval = 1 << 14;
// Objects that memory is reserved for: of fewer the arrays are small, and of more the addresses are
// too many for some limits.
constexpr std::uint64_t reserve_from = std::uint64_t{1} << 16;
constexpr std::uint64_t reserve_limit = std::uint64_t{1} << 24;
constexpr std::uint64_t bytes_per_object = 80; // with what belongs to it, in a heap of small ones
// Debian's PyGC_Head is aligned to 4 in some builds, upstream's to 8.
constexpr Address head_alignment = 4;

/// Walks one list after another, appending to a Heap.
class Walker {
public:
  Walker(cpython::ObjectReader& reader, const std::function<bool()>& cancelled)
      : reader_(reader), memory_(reader.memory()), layout_(reader.runtime().layout),
        cancelled_(cancelled) {}

  Result<Heap> walk() {
    reserve();
    const auto& interpreters = reader_.runtime().interpreters;
    for (std::size_t i = 0; i < interpreters.size(); ++i) {
      for (std::size_t g = 0; g < interpreters[i].generations.size(); ++g) {
        if (auto walked = walk_list(i, g); !walked) {
          return std::unexpected(walked.error());
        }
      }
    }
    heap_.unreadable = static_cast<std::size_t>(std::ranges::count(heap_.usable, false));
    return std::move(heap_);
  }

private:
  struct Node {
    Address next = 0;
    Address prev = 0;
  };

  /// Room for about as many objects as there can be. What of it is not used is no more than
  /// addresses; what is, need not be copied as the arrays grow.
  void reserve() {
    std::uint64_t bytes = 0;
    for (const image::Region& region : memory_.regions()) {
      if (region.source == image::Source::saved && region.permissions.write) {
        bytes += region.end - region.start;
      }
    }
    const std::uint64_t count = std::min(bytes / bytes_per_object, reserve_limit);
    if (count < reserve_from) {
      return;
    }
    for (auto* array : {&heap_.objects, &heap_.refcounts, &heap_.gc_prev, &heap_.types}) {
      reserve_huge(*array, count);
    }
  }

  Result<Node> read_node(Address node) const {
    if (node < 4096 || node >= machine::user_space_end || node % head_alignment != 0) {
      return fail(ErrorKind::corrupt, node,
                  fmt::format("{:#x} is no address of a PyGC_Head", node));
    }
    if (layout_.gc_next == 0 && layout_.gc_prev == sizeof(Address)) {
      const auto both = memory_.load<std::array<Address, 2>>(node);
      return both ? Result<Node>(Node{(*both)[0], (*both)[1]}) : std::unexpected(both.error());
    }
    const auto next = memory_.load<Address>(node + layout_.gc_next);
    const auto prev = memory_.load<Address>(node + layout_.gc_prev);
    if (!next || !prev) {
      return std::unexpected(next ? prev.error() : next.error());
    }
    return Node{*next, *prev};
  }

  Address object_of(Address node) const { return node + layout_.gc_head_size; }

  void corrupt_list(const ListRange& list, Address node, Address before, std::string message,
                    bool missing) {
    const Address head = head_of(list);
    heap_.corruptions.push_back({.kind = CorruptionKind::list,
                                 .interpreter = list.interpreter,
                                 .generation = list.generation,
                                 .object = node == head ? 0 : object_of(node),
                                 .previous = before == head ? 0 : object_of(before),
                                 .type = 0,
                                 .message = std::move(message),
                                 .memory_missing = missing});
  }

  Address head_of(const ListRange& list) const {
    return reader_.runtime().interpreters[list.interpreter].generations[list.generation].head;
  }

  /// False: it cannot be used; heap_.corruptions ends with the reason.
  bool add_object(ListRange& list, Address node, std::uint64_t gc_prev) {
    const Address object = object_of(node);
    std::uint64_t refcount = 0;
    Address type = 0;
    std::string problem;
    bool missing = false;
    Address damaged_type = 0;
    const auto count = memory_.load<std::uint64_t>(object + layout_.ob_refcnt);
    const auto type_at = memory_.load<Address>(object + layout_.ob_type);
    if (!count || !type_at) {
      const Error& error = count ? type_at.error() : count.error();
      problem = fmt::format("the object at {:#x} cannot be read: {}", object, error.reason);
      missing = error.kind == ErrorKind::memory_not_saved;
    } else {
      refcount = *count;
      type = *type_at;
      if (last_problem_ == nullptr || type != last_type_) {
        last_type_ = type;
        last_problem_ = &reader_.type(type).problem;
      }
      if (!last_problem_->empty()) {
        missing = reader_.type(type).memory_missing;
        damaged_type = type;
        problem = fmt::format("the object at {:#x} {}: {}", object,
                              missing ? "cannot be told" : "is damaged or freed", *last_problem_);
      } else if (refcount == 0) {
        problem =
            fmt::format("the object at {:#x} of type '{}' is tracked with a reference count of 0",
                        object, reader_.type(type).name);
      }
    }
    heap_.objects.push_back(object);
    heap_.refcounts.push_back(refcount);
    heap_.gc_prev.push_back(gc_prev);
    heap_.types.push_back(type);
    heap_.usable.push_back(problem.empty());
    ++list.count;
    if ((gc_prev & prev_mask_collecting) != 0) {
      ++list.collecting;
    }
    if (!problem.empty()) {
      heap_.corruptions.push_back({.kind = CorruptionKind::object,
                                   .interpreter = list.interpreter,
                                   .generation = list.generation,
                                   .object = object,
                                   .previous = 0,
                                   .type = damaged_type,
                                   .message = std::move(problem),
                                   .memory_missing = missing});
    }
    return heap_.usable.back();
  }

  /// An object that cannot be used and whose links do not belong to the list: what the allocator,
  /// or whoever has its memory now, wrote there is no link.
  void tell_freed(const ListRange& list, const Node& node, Address at, Address before) {
    Corruption of_object = std::move(heap_.corruptions.back());
    heap_.corruptions.pop_back();
    corrupt_list(
        list, at, before,
        fmt::format("{}, and its links, {:#x} and {:#x}, do not belong to the list: it was "
                    "freed while it was tracked, or was overwritten",
                    of_object.message, node.next, node.prev),
        false);
  }

  /// At rest _gc_prev of a node is a pointer to the one before; while a collection runs it holds
  /// gc_refs instead.
  static bool links_back(const Node& node, Address before, bool at_rest) {
    return !at_rest || (node.prev & ~flag_bits) == before;
  }

  /// Whether the list goes on behind the node as it ought to at rest.
  bool goes_on(const Node& node, Address at) const {
    const auto next = read_node(node.next & ~flag_bits);
    return next && links_back(*next, at, true);
  }

  /// Bits that only a running collection sets: at rest the next one takes such an object for what
  /// it is not. The incremental collector keeps the old space in the lowest bit of _gc_next.
  std::string left_flags(const Node& node, Address object) const {
    const std::uint64_t next = node.next & flag_bits & ~std::uint64_t{layout_.gc_young ? 1U : 0U};
    if (next != 0) {
      return fmt::format("_gc_next of {:#x} has flag bits ({}) set, and no collection is running",
                         object, next);
    }
    if ((node.prev & prev_mask_collecting) != 0) {
      return fmt::format("_gc_prev of {:#x} has COLLECTING set, and no collection is running",
                         object);
    }
    return {};
  }

  Result<void> walk_list(std::size_t interpreter, std::size_t generation) {
    ListRange list{interpreter, generation, heap_.objects.size(), 0, 0};
    const auto& owner = reader_.runtime().interpreters[interpreter];
    const Address head = head_of(list);
    const bool at_rest = !owner.collecting;
    const auto first = read_node(head);
    if (!first) {
      corrupt_list(list, head, head,
                   fmt::format("the list head cannot be read: {}", first.error().reason),
                   first.error().kind == ErrorKind::memory_not_saved);
      heap_.lists.push_back(list);
      return {};
    }
    if (first->next == 0 && first->prev == 0 && owner.generations[generation].permanent) {
      heap_.lists.push_back(list); // never initialised
      return {};
    }
    Address before = head;
    Node from = *first;
    // Brent's algorithm: `anchor` moves to where we are at each power of two, so that a cycle which
    // does not pass the head is noticed after at most three times its length.
    Address anchor = 0;
    std::size_t steps = 0;
    std::size_t limit = 1;
    std::optional<std::size_t> wrong_link; // index of the corruption that tells of it
    bool flags_told = false;
    while ((from.next & ~flag_bits) != head) {
      const Address node = from.next & ~flag_bits;
      if (from.next == 0) {
        corrupt_list(list, before, before,
                     fmt::format("_gc_next of {} is NULL", where(before, head)), false);
        return salvage(list, head, *first, before, at_rest);
      }
      if (node == anchor) {
        if (wrong_link) { // the link that closes the cycle was told as a wrong _gc_prev
          heap_.corruptions.erase(heap_.corruptions.begin() +
                                  static_cast<std::ptrdiff_t>(*wrong_link));
        }
        corrupt_list(list, node, before,
                     fmt::format("the list is cyclic: it comes back to {:#x} and "
                                 "never to its head",
                                 object_of(node)),
                     false);
        drop_repeated(list);
        return salvage(list, head, *first, before, at_rest);
      }
      const auto to = read_node(node);
      if (!to) {
        corrupt_list(list, node, before,
                     fmt::format("_gc_next of {} is {:#x}: {}", where(before, head), from.next,
                                 to.error().reason),
                     to.error().kind == ErrorKind::memory_not_saved);
        return salvage(list, head, *first, before, at_rest);
      }
      const bool linked = links_back(*to, before, at_rest);
      const bool usable = add_object(list, node, to->prev);
      if (at_rest && !usable && !heap_.corruptions.back().memory_missing &&
          (!linked || !goes_on(*to, node))) {
        tell_freed(list, *to, node, before);
        return salvage(list, head, *first, node, at_rest);
      }
      if (!wrong_link && !linked) {
        wrong_link = heap_.corruptions.size();
        corrupt_list(list, node, before,
                     fmt::format("_gc_next of {} leads to {:#x}, whose _gc_prev is {:#x}",
                                 where(before, head), object_of(node), to->prev & ~flag_bits),
                     false);
      }
      if (at_rest && !flags_told) {
        if (std::string problem = left_flags(*to, object_of(node)); !problem.empty()) {
          flags_told = true;
          corrupt_list(list, node, before, std::move(problem), false);
        }
      }
      if (heap_.objects.size() >= object_limit) {
        return fail(ErrorKind::limit, node, "more tracked objects than pygc can hold");
      }
      if (++steps == limit) {
        anchor = node;
        limit *= 2;
      }
      if (heap_.objects.size() % cancel_interval == 0 && cancelled_()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      before = node;
      from = *to;
    }
    if (at_rest && (first->prev & ~flag_bits) != before) {
      corrupt_list(list, before, before,
                   fmt::format("_gc_prev of the list head is {:#x}, but the last object is {:#x}",
                               first->prev, before == head ? 0 : object_of(before)),
                   false);
    }
    heap_.lists.push_back(list);
    return {};
  }

  std::string where(Address node, Address head) const {
    return node == head ? std::string("the list head") : fmt::format("{:#x}", object_of(node));
  }

  /// A cycle was walked more than once: keep each object once.
  void drop_repeated(ListRange& list) {
    std::unordered_set<Address> seen;
    std::size_t kept = list.first;
    list.collecting = 0;
    for (std::size_t i = list.first; i < heap_.objects.size(); ++i) {
      if (!seen.insert(heap_.objects[i]).second) {
        continue;
      }
      heap_.objects[kept] = heap_.objects[i];
      heap_.refcounts[kept] = heap_.refcounts[i];
      heap_.gc_prev[kept] = heap_.gc_prev[i];
      heap_.types[kept] = heap_.types[i];
      heap_.usable[kept] = heap_.usable[i];
      if ((heap_.gc_prev[i] & prev_mask_collecting) != 0) {
        ++list.collecting;
      }
      ++kept;
    }
    heap_.objects.resize(kept);
    heap_.refcounts.resize(kept);
    heap_.gc_prev.resize(kept);
    heap_.types.resize(kept);
    heap_.usable.resize(kept);
    list.count = kept - list.first;
  }

  /// Walks a broken list from its end, against _gc_prev, up to where the first walk stopped.
  Result<void> salvage(ListRange list, Address head, const Node& first, Address stopped,
                       bool at_rest) {
    std::unordered_set<Address> seen(
        heap_.objects.begin() + static_cast<std::ptrdiff_t>(list.first), heap_.objects.end());
    Address node = first.prev & ~flag_bits;
    std::vector<std::pair<Address, std::uint64_t>> found;
    std::unordered_set<Address> behind;
    while (at_rest && node != head && node != stopped && !seen.contains(object_of(node)) &&
           behind.insert(node).second && found.size() < object_limit) {
      const auto here = read_node(node);
      if (!here || (here->prev & prev_mask_collecting) != 0) {
        break;
      }
      if (behind.size() % cancel_interval == 0 && cancelled_()) {
        return fail(ErrorKind::cancelled, 0, "interrupted");
      }
      found.emplace_back(node, here->prev);
      node = here->prev & ~flag_bits;
    }
    for (auto it = found.rbegin(); it != found.rend(); ++it) {
      add_object(list, it->first, it->second);
    }
    heap_.lists.push_back(list);
    return {};
  }

  cpython::ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const cpython::Layout& layout_;
  const std::function<bool()>& cancelled_;
  Heap heap_;
  Address last_type_ = 0;
  const std::string* last_problem_ = nullptr;
};

} // namespace

Result<Heap> walk_heap(cpython::ObjectReader& reader, const std::function<bool()>& cancelled) {
  Walker walker(reader, cancelled);
  return walker.walk();
}

} // namespace pygc::heap
