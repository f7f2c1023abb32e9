#include "common/analysis/facts/being_linked.h"

#include "common/analysis/facts/crash_facts.h"
#include "common/cpython/collector/gc_head.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace pygc::analysis {
namespace {

namespace gc_head = cpython::gc_head;

/// Of the walk, from one node to the next, where the list does not hang together.
struct Step {
  Address from = 0;
  Address to = 0;
};

class HalfDone {
public:
  HalfDone(const CheckInput& input, Address head)
      : memory_(input.image.memory()), layout_(input.reader.runtime().layout), heap_(input.heap),
        head_(head) {}

  std::optional<gc_head::Links> links(Address node) const {
    const auto read = gc_head::read(memory_, layout_, node);
    return read ? std::optional(*read) : std::nullopt;
  }

  /// _PyObject_GC_UNTRACK: its own links are written last.
  bool unlinks(Address node, Step step) const {
    const auto own = links(node);
    const auto previous = own ? links(own->prev_node()) : std::nullopt;
    const auto next = own ? links(own->next_node()) : std::nullopt;
    return previous && next && is_one_of(step.from, node, own->prev_node()) &&
           is_one_of(step.to, node, own->next_node()) &&
           is_one_of(previous->next_node(), node, own->next_node()) &&
           is_one_of(next->prev_node(), node, own->prev_node());
  }

  /// _PyObject_GC_TRACK: at the end of the list, behind what the walk came from, or what the object
  /// or the head has as the one before it.
  bool links_in(Address node, Step step) const {
    const auto own = links(node);
    const auto end = links(head_);
    if (!own || !end || !is_one_of(step.to, node, head_)) {
      return false;
    }
    const std::array lasts = {step.from, walked_before(node), own->prev_node(), end->prev_node()};
    return std::ranges::any_of(lasts, [&](Address last) {
      const auto before = links(last);
      return before && last != node && is_one_of(step.from, node, last) &&
             is_one_of(before->next_node(), node, head_) &&
             is_one_of(end->prev_node(), node, last) &&
             (before->next_node() == node || end->prev_node() == node);
    });
  }

private:
  Address walked_before(Address node) const {
    const auto& objects = heap_.objects;
    const auto found = std::ranges::find(objects, gc_head::object_of(layout_, node));
    return found == objects.begin() || found == objects.end()
               ? head_
               : gc_head::node_of(layout_, *std::prev(found));
  }

  static bool is_one_of(Address link, Address one, Address other) {
    return link == one || link == other;
  }

  const image::AddressSpace& memory_;
  const cpython::Layout& layout_;
  const heap::Heap& heap_;
  Address head_;
};

} // namespace

std::optional<Address> object_being_linked(const CheckInput& input, const WorkedAt& worked_at,
                                           const heap::Corruption& corruption) {
  const cpython::Runtime& runtime = input.reader.runtime();
  if (corruption.kind != heap::CorruptionKind::space || corruption.memory_missing ||
      runtime.layout.free_threaded || crashed_thread(input) != nullptr) {
    return std::nullopt;
  }
  const Address head = runtime.interpreters[corruption.interpreter].spaces[corruption.space].head;
  const auto node_of = [&](Address object) {
    return object == 0 ? head : object - runtime.layout.gc_head_size;
  };
  const HalfDone half_done(input, head);
  const Address at = node_of(corruption.object);
  const Address before = node_of(corruption.previous);
  // What is told at the last node concerns its way to the head.
  const Step step{before, at == before ? head : at};
  const auto at_links = half_done.links(at);
  const auto head_links = half_done.links(head);
  // The object itself shows the break, or its neighbours do, of which one still leads to it.
  for (const Address node : {at, before, at_links ? at_links->prev_node() : head,
                             head_links ? head_links->prev_node() : head}) {
    const Address object = gc_head::object_of(runtime.layout, node);
    if (node != head && worked_at.contains(object) &&
        (half_done.unlinks(node, step) || half_done.links_in(node, step))) {
      return object;
    }
  }
  return std::nullopt;
}

} // namespace pygc::analysis
