#include "common/cpython/collector/generation_walk.h"

#include "common/cpython/collector/gc_head.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::size_t cancel_interval = 1 << 14;

/// The walk of one list.
class Walk {
public:
  Walk(const image::AddressSpace& memory, const Layout& layout, const Interpreter& interpreter,
       const Space& space, HeapSink& sink)
      : memory_(memory), layout_(layout), space_(space), head_(space.head),
        at_rest_(!interpreter.collecting), sink_(sink) {}

  Result<void> run() {
    const auto first = read_node(head_);
    if (!first) {
      fault(head_, head_, fmt::format("the list head cannot be read: {}", first.error().reason),
            is_not_saved(first));
      return {};
    }
    first_ = *first;
    if (first_.next == 0 && first_.prev == 0 && space_.kind == SpaceKind::permanent) {
      return {}; // never initialised
    }
    tell_head_flags();
    Address before = head_;
    gc_head::Links from = first_;
    // Brent's algorithm: `anchor` moves to where we are at each power of two, so that a cycle which
    // does not pass the head is noticed after at most three times its length.
    Address anchor = 0;
    std::size_t steps = 0;
    std::size_t limit = 1;
    while (from.next_node() != head_) {
      const Address node = from.next_node();
      if (from.next == 0) {
        tell_break(before, before, fmt::format("_gc_next of {} is NULL", where(before)), false);
        return salvage(before);
      }
      if (node == anchor) {
        tell_cycle(node, before);
        return salvage(before);
      }
      const auto to = read_node(node);
      if (!to) {
        tell_break(
            node, before,
            fmt::format("_gc_next of {} is {:#x}: {}", where(before), from.next, to.error().reason),
            is_not_saved(to));
        return salvage(before);
      }
      const bool linked = links_back(*to, before);
      const Verdict verdict = add(object_of(node), gc_head::state_of(to->prev));
      note_damage(verdict, node, before);
      if (at_rest_ && verdict == Verdict::damaged && (!linked || !goes_on(*to, node))) {
        if (is_repeated(node)) {
          sink_.take_back_object_fault();
          tell_cycle(node, before);
          return salvage(before);
        }
        tell_freed(*to, node, before);
        return salvage(node);
      }
      if (!wrong_link_ && !linked) {
        wrong_link_ = fault(node, before,
                            fmt::format("_gc_next of {} leads to {:#x}, whose _gc_prev is {:#x}",
                                        where(before), object_of(node), to->prev_node()),
                            false);
        wrong_node_ = node;
      }
      tell_flags(*to, node, before);
      if (++steps == limit) {
        anchor = node;
        limit *= 2;
      }
      if (auto proceed = sink_.proceed(); !proceed) {
        return proceed;
      }
      before = node;
      from = *to;
    }
    if (at_rest_ && first_.prev_node() != before) {
      fault(before, before,
            fmt::format("_gc_prev of the list head is {:#x}, but the last object is {:#x}",
                        first_.prev, before == head_ ? 0 : object_of(before)),
            false);
    }
    return {};
  }

private:
  Result<gc_head::Links> read_node(Address node) const {
    if (!is_plausible(node, gc_head::alignment)) {
      return fail(ErrorKind::corrupt, node,
                  fmt::format("{:#x} is no address of a PyGC_Head", node));
    }
    return gc_head::read(memory_, layout_, node);
  }

  Address object_of(Address node) const { return gc_head::object_of(layout_, node); }

  Verdict add(Address object, GcState state) {
    const auto refcount = memory_.load<std::uint64_t>(object + layout_.ob_refcnt);
    return sink_.add({.object = object,
                      .refcount = refcount.value_or(0),
                      .state = state,
                      .unreadable = refcount ? nullptr : &refcount.error()});
  }

  std::string where(Address node) const {
    return node == head_ ? std::string("the list head") : fmt::format("{:#x}", object_of(node));
  }

  std::size_t fault(Address node, Address before, std::string message, bool missing) {
    return sink_.add_fault({.object = node == head_ ? 0 : object_of(node),
                            .previous = before == head_ ? 0 : object_of(before),
                            .message = std::move(message),
                            .memory_missing = missing});
  }

  /// At rest _gc_prev of a node is a pointer to the one before; while a collection runs it holds
  /// gc_refs instead.
  bool links_back(const gc_head::Links& node, Address before) const {
    return !at_rest_ || node.prev_node() == before;
  }

  /// Whether the list goes on behind the node as it ought to at rest.
  bool goes_on(const gc_head::Links& node, Address at) const {
    const auto next = read_node(node.next_node());
    return next && next->prev_node() == at;
  }

  /// The object that was added last is there twice.
  bool is_repeated(Address node) const {
    const auto added = sink_.added();
    return std::ranges::count(added, object_of(node)) > 1;
  }

  /// An object that cannot be used and whose links do not belong to the list: what the allocator,
  /// or whoever has its memory now, wrote there is no link.
  void tell_freed(const gc_head::Links& node, Address at, Address before) {
    const std::string of_object = sink_.take_back_object_fault();
    fault(at, before,
          fmt::format("{}, and its links, {:#x} and {:#x}, do not belong to the list: it was "
                      "freed while it was tracked, or was overwritten",
                      of_object, node.next, node.prev),
          false);
  }

  void note_damage(Verdict verdict, Address node, Address before) {
    if (verdict != Verdict::damaged) {
      damaged_ = 0;
    } else if (damaged_++ == 0) {
      first_damaged_ = node;
      before_damaged_ = before;
    }
  }

  /// While a collection runs links back do not tell a freed object from the others. The list that
  /// ends at such objects does.
  void tell_break(Address node, Address before, std::string message, bool missing) {
    if (wrong_link_ && wrong_node_ == before && !missing) { // neither link of it is the list's
      sink_.withdraw(*wrong_link_);
      wrong_link_.reset();
      message +=
          "; nor does its _gc_prev lead back: it was untracked while it stayed on the list, or "
          "its links were overwritten";
    }
    if (at_rest_ || missing || damaged_ == 0) {
      fault(node, before, std::move(message), missing);
      return;
    }
    std::string of_object;
    for (; damaged_ > 0; --damaged_) {
      of_object = sink_.take_back_object_fault();
    }
    fault(first_damaged_, before_damaged_,
          fmt::format("{}, and the list ends there: {}. It was freed while it was tracked, or was "
                      "overwritten",
                      of_object, message),
          false);
  }

  void tell_cycle(Address node, Address before) {
    if (wrong_link_) { // the link that closes the cycle was told as a wrong _gc_prev
      sink_.withdraw(*wrong_link_);
    }
    fault(node, before,
          fmt::format("the list is cyclic: it comes back to {:#x} and never to its head",
                      object_of(node)),
          false);
    sink_.drop_repeated();
  }

  /// Bits that only a running collection sets: at rest the next one takes such an object for what
  /// it is not. The incremental collector keeps the old space in the lowest bit of _gc_next.
  void tell_flags(const gc_head::Links& node, Address at, Address before) {
    if (!at_rest_ || flags_told_) {
      return;
    }
    const std::uint64_t next =
        node.next & gc_head::flag_bits & ~std::uint64_t{layout_.gc_young ? 1U : 0U};
    const bool collecting = (node.prev & gc_head::prev_collecting) != 0;
    if (next == 0 && !collecting) {
      return;
    }
    flags_told_ = true;
    fault(
        at, before,
        next != 0
            ? fmt::format("_gc_next of {:#x} has flag bits ({}) set, and no collection is running",
                          object_of(at), next)
            : fmt::format("_gc_prev of {:#x} has COLLECTING set, and no collection is running",
                          object_of(at)),
        false);
  }

  /// A head has no flags but while move_unreachable() fills its list: gc_list_append() and
  /// _PyObject_GC_TRACK() take its _gc_prev as it is, and the walks of the collector its _gc_next.
  void tell_head_flags() {
    if (!at_rest_) {
      return;
    }
    for (const auto& [name, bits] : {std::pair("_gc_next", first_.next & gc_head::flag_bits),
                                     std::pair("_gc_prev", first_.prev & gc_head::flag_bits)}) {
      if (bits != 0) {
        fault(
            head_, head_,
            fmt::format("{} of the list head has flag bits ({}) set, and no collection is running",
                        name, bits),
            false);
      }
    }
  }

  /// Walks a broken list from its end, against _gc_prev, up to where the first walk stopped.
  Result<void> salvage(Address stopped) {
    const auto added = sink_.added();
    const std::unordered_set<Address> seen(added.begin(), added.end());
    Address node = first_.prev_node();
    std::vector<std::pair<Address, GcState>> found;
    std::unordered_set<Address> behind;
    while (at_rest_ && node != head_ && node != stopped && !seen.contains(object_of(node)) &&
           behind.insert(node).second) {
      const auto here = read_node(node);
      if (!here || (here->prev & gc_head::prev_collecting) != 0) {
        break;
      }
      if (behind.size() % cancel_interval == 0) {
        if (auto proceed = sink_.proceed(); !proceed) {
          return proceed;
        }
      }
      found.emplace_back(object_of(node), gc_head::state_of(here->prev));
      node = here->prev_node();
    }
    for (auto it = found.rbegin(); it != found.rend(); ++it) {
      add(it->first, it->second);
      if (auto proceed = sink_.proceed(); !proceed) {
        return proceed;
      }
    }
    return {};
  }

  const image::AddressSpace& memory_;
  const Layout& layout_;
  const Space& space_;
  Address head_;
  bool at_rest_;
  HeapSink& sink_;
  gc_head::Links first_;
  std::optional<std::size_t> wrong_link_; // the fault that tells of it
  Address wrong_node_ = 0;                // whose _gc_prev is wrong
  bool flags_told_ = false;
  std::size_t damaged_ = 0; // objects in a row, up to where the walk is
  Address first_damaged_ = 0;
  Address before_damaged_ = 0;
};

class GenerationWalk final : public HeapSource {
public:
  GenerationWalk(const image::AddressSpace& memory, const Layout& layout)
      : memory_(memory), layout_(layout) {}

  Result<void> walk(const Interpreter& interpreter, const Space& space,
                    HeapSink& sink) const override {
    return Walk(memory_, layout_, interpreter, space, sink).run();
  }

private:
  const image::AddressSpace& memory_;
  const Layout& layout_;
};

} // namespace

std::unique_ptr<HeapSource> walk_generations(const image::AddressSpace& memory,
                                             const Layout& layout) {
  return std::make_unique<GenerationWalk>(memory, layout);
}

} // namespace pygc::cpython
