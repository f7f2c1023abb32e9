#include "common/analysis/explore/held_garbage.h"

#include "common/base/address_set.h"
#include "common/heap/reachability.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t objects_at_a_time = 1 << 15;

/// Objects that the collector does not see: holders, and untracked containers. Each is live when it
/// has a reference that is no visit, or a live container.
class Hidden {
public:
  Hidden(cpython::ObjectReader& reader, replay::Replayer& replayer)
      : reader_(reader), replayer_(replayer) {}

  void add_holder(const Holder& holder) { refcounts_.emplace(holder.object, holder.refcount); }

  /// Runs the traverse functions of the tracked objects, then those of untracked containers that
  /// they lead to.
  Result<void> find(const heap::Heap& heap) {
    std::vector<Address> containers;
    containers.reserve(heap.objects.size());
    for (std::size_t i = 0; i < heap.objects.size(); ++i) {
      tracked_.insert(heap.objects[heap::HeapIndex(i)]);
      if (heap.usable[heap::HeapIndex(i)]) {
        containers.push_back(heap.objects[heap::HeapIndex(i)]);
      }
    }
    while (!containers.empty()) {
      std::vector<Address> further;
      for (std::size_t i = 0; i < containers.size(); i += objects_at_a_time) {
        const auto some =
            std::span(containers).subspan(i, std::min(objects_at_a_time, containers.size() - i));
        if (auto visited = visit(some, further); !visited) {
          return visited;
        }
      }
      containers = std::move(further);
    }
    return {};
  }

  /// Those with a reference that no visit accounts for.
  std::vector<Address> roots() const {
    std::vector<Address> found;
    for (const auto& [object, refcount] : refcounts_) {
      const auto visits = visits_.find(object);
      if (visits == visits_.end() || visits->second != refcount) {
        found.push_back(object);
      }
    }
    return found;
  }

  bool contains(Address object) const { return refcounts_.contains(object); }
  std::uint64_t refcount(Address object) const { return refcounts_.at(object); }
  /// By container (tracked, or hidden itself): the hidden objects that it visits.
  const std::unordered_map<Address, std::vector<Address>>& visited_by() const {
    return visited_by_;
  }

private:
  Result<void> visit(std::span<const Address> containers, std::vector<Address>& further) {
    std::vector<replay::Incident> incidents;
    const auto visits = replayer_.visits(containers, 0, &incidents);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    for (const replay::Visit& visit : *visits) {
      if (tracked_.contains(visit.object)) {
        continue; // most are
      }
      if (!refcounts_.contains(visit.object)) {
        const auto refcount = refcount_of_untracked(visit.object);
        if (!refcount) {
          continue;
        }
        refcounts_.emplace(visit.object, *refcount);
        further.push_back(visit.object);
      }
      ++visits_[visit.object];
      visited_by_[containers[visit.container]].push_back(visit.object);
    }
    return {};
  }

  /// Nothing when the object is none that a collector could track, or is tracked.
  std::optional<std::uint64_t> refcount_of_untracked(Address object) {
    const cpython::Runtime& runtime = reader_.runtime();
    const auto type_at = reader_.type_address(object);
    if (!type_at) {
      return std::nullopt;
    }
    const cpython::TypeInfo& type = reader_.type(*type_at);
    // A static type has the flag, by its metatype, and no GC head.
    if (!type.problem.empty() || !type.has_flag(cpython::type_flag::have_gc) ||
        type.traverse == 0 || type.has_flag(cpython::type_flag::type_subclass)) {
      return std::nullopt;
    }
    const auto stored = cpython::load_refcount(reader_.memory(), runtime.layout, object);
    if (!stored || reader_.is_tracked(object).value_or(true)) {
      return std::nullopt;
    }
    // An immortal one counts as live: no number of visits accounts for it.
    return runtime.is_immortal(*stored) ? UINT64_MAX : runtime.refcount(*stored);
  }

  cpython::ObjectReader& reader_;
  replay::Replayer& replayer_;
  AddressSet tracked_;
  std::unordered_map<Address, std::uint64_t> refcounts_; // of hidden objects
  std::unordered_map<Address, std::uint64_t> visits_;    // of hidden objects
  std::unordered_map<Address, std::vector<Address>> visited_by_;
};

/// Nodes with references that are neither visits nor those of the given holders.
template <typename IsLeftOut>
std::vector<std::uint32_t> nodes_held(const Collection& collection, std::span<const Hold> holds,
                                      const IsLeftOut& is_left_out) {
  std::unordered_map<std::uint32_t, std::int64_t> left_out; // references, by node
  for (const Hold& hold : holds) {
    left_out[hold.node] += is_left_out(hold.holder.object) ? 1 : 0;
  }
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t node = 0; node < collection.gc_refs.size(); ++node) {
    const std::int64_t gc_refs = collection.gc_refs[heap::SetIndex(node)];
    if (gc_refs == 0) {
      continue; // nobody holds it
    }
    const auto known = left_out.find(node);
    if (known == left_out.end() || gc_refs != known->second) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

/// The reachable part of the collected objects and of the hidden ones, which lead to each other.
class Reach {
public:
  /// `roots`: nodes that are held by others than the holders.
  Reach(const Collection& collection, std::span<const Hold> holds, const Hidden& hidden,
        std::vector<std::uint32_t> roots)
      : collection_(collection), holds_(holds), hidden_(hidden), roots_(std::move(roots)) {
    for (const Hold& hold : holds) {
      held_[hold.holder.object].push_back(hold.node);
    }
    for (std::uint32_t node = 0; node < collection.set.objects.size(); ++node) {
      const Address object = collection.set.objects[heap::SetIndex(node)];
      if (hidden.visited_by().contains(object)) {
        nodes_.emplace(object, node);
      }
    }
  }

  /// Garbage that stays: not reachable, and not freed by any number of collections.
  std::vector<bool> kept_garbage() {
    find_live();
    std::vector<bool> kept = kept_by_collections();
    for (std::uint32_t node = 0; node < kept.size(); ++node) {
      kept[node] = kept[node] && !reached_[node];
    }
    return kept;
  }

private:
  void find_live() {
    for (const Address object : hidden_.roots()) {
      enliven(object);
    }
    do {
      grown_ = false;
      reached_ = heap::reachable_from(collection_.graph, roots_);
      for (const auto& [container, objects] : hidden_.visited_by()) {
        const auto node = nodes_.find(container);
        // What this collection does not take is alive.
        const bool live =
            node != nodes_.end() ? reached_[node->second] : !hidden_.contains(container);
        for (const Address object : objects) {
          if (live) {
            enliven(object);
          }
        }
      }
    } while (grown_);
  }

  /// What a collection finds unreachable it clears; hidden objects that had no other references are
  /// freed with it, and what those have held is the next collection's.
  std::vector<bool> kept_by_collections() const {
    std::unordered_set<Address> freed;
    while (true) {
      std::vector<bool> kept = heap::reachable_from(
          collection_.graph,
          nodes_held(collection_, holds_, [&](Address holder) { return freed.contains(holder); }));
      const std::size_t before = freed.size();
      free_what_is_visited_by(
          [&](Address container) {
            const auto node = nodes_.find(container);
            return node != nodes_.end() ? !kept[node->second] : freed.contains(container);
          },
          freed);
      if (freed.size() == before) {
        return kept;
      }
    }
  }

  /// Adds the hidden objects all whose references are visits of what is gone.
  template <typename IsGone>
  void free_what_is_visited_by(const IsGone& is_gone, std::unordered_set<Address>& freed) const {
    std::unordered_map<Address, std::uint64_t> visits;
    for (const auto& [container, objects] : hidden_.visited_by()) {
      if (is_gone(container)) {
        for (const Address object : objects) {
          ++visits[object];
        }
      }
    }
    for (const auto& [object, count] : visits) {
      if (!live_.contains(object) && count == hidden_.refcount(object)) {
        freed.insert(object);
      }
    }
  }

  void enliven(Address first) {
    std::vector<Address> open{first};
    while (!open.empty()) {
      const Address object = open.back();
      open.pop_back();
      if (!live_.insert(object).second) {
        continue;
      }
      if (const auto held = held_.find(object); held != held_.end()) {
        roots_.insert(roots_.end(), held->second.begin(), held->second.end());
        grown_ = true;
      }
      if (const auto visited = hidden_.visited_by().find(object);
          visited != hidden_.visited_by().end()) {
        open.insert(open.end(), visited->second.begin(), visited->second.end());
      }
    }
  }

  const Collection& collection_;
  std::span<const Hold> holds_;
  const Hidden& hidden_;
  std::unordered_map<Address, std::uint32_t> nodes_;             // that visit hidden objects
  std::unordered_map<Address, std::vector<std::uint32_t>> held_; // by holder
  std::vector<std::uint32_t> roots_;
  std::unordered_set<Address> live_; // hidden ones
  std::vector<bool> reached_;
  bool grown_ = false;
};

} // namespace

Result<std::vector<bool>> find_held_garbage(cpython::ObjectReader& reader, const heap::Heap& heap,
                                            replay::Replayer& replayer,
                                            const Collection& collection,
                                            std::span<const Hold> holds) {
  // What holders and untracked containers lead to comes on top of this.
  std::vector<std::uint32_t> roots = nodes_held(collection, holds, [](Address) { return true; });
  const auto reached = heap::reachable_from(collection.graph, roots);
  if (std::ranges::all_of(holds, [&](const Hold& hold) { return reached[hold.node]; })) {
    return std::vector<bool>(reached.size());
  }
  Hidden hidden(reader, replayer);
  for (const Hold& hold : holds) {
    hidden.add_holder(hold.holder);
  }
  if (auto found = hidden.find(heap); !found) {
    return std::unexpected(found.error());
  }
  return Reach(collection, holds, hidden, std::move(roots)).kept_garbage();
}

} // namespace pygc::analysis
