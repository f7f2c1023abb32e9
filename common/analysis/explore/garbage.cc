#include "common/analysis/explore/garbage.h"

#include "common/analysis/facts/type_table.h"
#include "common/cpython/objects/finalization.h"
#include "common/heap/components.h"
#include "common/heap/reachability.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

using Counts = std::map<std::uint32_t, std::uint64_t>; // by index of a type

/// One interpreter's unreachable objects.
class Sorter {
public:
  Sorter(cpython::ObjectReader& reader, const heap::Heap& heap, TypeTable& types)
      : reader_(reader), heap_(heap), types_(types) {}

  /// Errors: cancelled.
  Result<InterpreterGarbage> sort(const GarbageInput& input, const Collection& collection) {
    collection_ = &collection;
    const auto& set = collection.set;
    const cpython::Interpreter& interpreter = reader_.runtime().interpreters[set.interpreter];
    found_.id = interpreter.id;
    found_.enabled = interpreter.enabled;
    if (interpreter.counts) { // for all spaces together
      found_.generations.push_back({.name = "of all threads",
                                    .head = interpreter.gc_state,
                                    .count = interpreter.counts->count,
                                    .threshold = interpreter.counts->threshold,
                                    .types = {}});
    }
    for (const cpython::Space& each : interpreter.spaces) {
      if (!interpreter.counts && each.kind == cpython::SpaceKind::collected) {
        found_.generations.push_back({.name = each.name,
                                      .head = each.head,
                                      .count = each.count,
                                      .threshold = each.threshold,
                                      .types = {}});
      }
    }
    found_.collected = set.objects.size();
    found_.immortal = set.immortal;
    unreachable_ = collection.reachable;
    unreachable_.flip();
    for (std::uint32_t i = 0; i < unreachable_.size(); ++i) {
      if (unreachable_[i]) {
        nodes_.push_back(i);
        addresses_.insert(set.objects[heap::SetIndex(i)]);
      }
    }
    add_objects();
    find_cycles();
    find_legacy_finalizers();
    find_calls();
    auto left = find_left_garbage({.image = input.image,
                                   .reader = reader_,
                                   .collection = collection,
                                   .components = components_,
                                   .deleted = unreachable_,
                                   .finalized = finalized_,
                                   .most_cleared = input.most_cleared},
                                  input.tracer);
    if (!left) {
      return std::unexpected(left.error());
    }
    found_.left = std::move(*left);
    tell_what_stays();
    return std::move(found_);
  }

private:
  Address type_of(std::uint32_t node) const {
    return heap_.types[collection_->set.heap_index[heap::SetIndex(node)]];
  }

  std::vector<TypeCount> rows(const Counts& counts) const {
    std::vector<TypeCount> types;
    for (const auto& [type, count] : counts) {
      types.push_back({types_.names()[type], count});
    }
    sort_by_count(types);
    return types;
  }

  void add_objects() {
    Counts counts;
    for (const std::uint32_t node : nodes_) {
      const std::uint32_t type = types_.index(type_of(node));
      ++counts[type];
      found_.objects.push_back(
          {.address = collection_->set.objects[heap::SetIndex(node)],
           .refcount = refcount_of(reader_.runtime(), heap_, *collection_, node),
           .type = type,
           .cycle = {}});
    }
    found_.by_type = rows(counts);
  }

  void find_cycles() {
    components_ = heap::strong_components(collection_->graph, unreachable_);
    // Where the objects of each cycle end, and then begin, among those of all cycles.
    std::vector<std::uint32_t> places(components_.sizes.size(), 0);
    std::uint32_t end = 0;
    for (std::uint32_t component = 0; component < places.size(); ++component) {
      end += components_.cyclic[component] ? components_.sizes[component] : 0;
      places[component] = end;
    }
    std::vector<std::uint32_t> by_cycle(end); // indices into the objects
    for (auto i = static_cast<std::uint32_t>(nodes_.size()); i-- > 0;) {
      const std::uint32_t component = components_.of(nodes_[i]);
      if (components_.cyclic[component]) {
        found_.objects[i].cycle = component;
        by_cycle[--places[component]] = i;
      }
    }
    found_.outside_cycles = nodes_.size() - by_cycle.size();
    std::map<std::vector<std::uint32_t>, std::size_t> groups; // by the types of their objects
    std::vector<std::uint32_t> types;
    for (std::size_t begin = 0; begin < by_cycle.size(); begin += types.size()) {
      const GarbageObject& first = found_.objects[by_cycle[begin]];
      types.clear();
      for (std::size_t i = 0; i < components_.sizes[*first.cycle]; ++i) {
        types.push_back(found_.objects[by_cycle[begin + i]].type);
      }
      std::ranges::sort(types);
      const auto [at, added] = groups.try_emplace(types, found_.cycles.size());
      if (added) {
        found_.cycles.push_back(
            {.size = types.size(), .types = rows(counts_of(types)), .example = first.address});
      }
      ++found_.cycles[at->second].cycles;
    }
    std::ranges::stable_sort(found_.cycles, std::ranges::greater(),
                             [](const CycleGroup& group) { return group.cycles * group.size; });
  }

  static Counts counts_of(const std::vector<std::uint32_t>& types) {
    Counts counts;
    for (const std::uint32_t type : types) {
      ++counts[type];
    }
    return counts;
  }

  const cpython::TypeFinalization& finalization(Address type) {
    const auto [at, added] = finalization_.try_emplace(type);
    if (added) {
      if (const auto read = cpython::type_finalization(reader_, type)) {
        at->second = *read;
      }
    }
    return at->second;
  }

  void find_legacy_finalizers() {
    std::vector<std::uint32_t> roots;
    for (const std::uint32_t node : nodes_) {
      if (finalization(type_of(node)).legacy != 0) {
        roots.push_back(node);
      }
    }
    found_.legacy_finalizers = roots.size();
    if (roots.empty()) {
      return;
    }
    const std::vector<bool> kept = heap::reachable_from(collection_->graph, roots);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (kept[nodes_[i]]) {
        found_.objects[i].fate = Fate::uncollectable;
        unreachable_[nodes_[i]] = false; // gc.garbage keeps it
        ++found_.uncollectable;
      }
    }
  }

  void find_calls() {
    Counts finalizers;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const GarbageObject& object = found_.objects[i];
      if (object.fate != Fate::freed) {
        continue;
      }
      const cpython::TypeFinalization& type = finalization(type_of(nodes_[i]));
      const bool finalized =
          heap_.states[collection_->set.heap_index[heap::SetIndex(nodes_[i])]].is_finalized();
      if (type.finalize != 0 && !finalized) {
        ++finalizers[object.type];
        finalized_.push_back(nodes_[i]);
      }
      for (const Address weakref :
           cpython::weakrefs_with_callback(reader_, object.address, type.weaklistoffset)) {
        // The callback of a weak reference that is garbage itself is not called.
        if (!addresses_.contains(weakref)) {
          ++found_.callbacks;
        }
      }
    }
    found_.finalizers = rows(finalizers);
  }

  void tell_what_stays() {
    const LeftGarbage& left = found_.left;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::uint32_t node = nodes_[i];
      if (!left.staying.empty() && left.staying[node]) {
        found_.objects[i].fate = Fate::stays;
      } else if (!left.unknown.empty() && left.unknown[node]) {
        found_.objects[i].fate = Fate::unknown;
      }
    }
  }

  cpython::ObjectReader& reader_;
  const heap::Heap& heap_;
  TypeTable& types_;
  const Collection* collection_ = nullptr;
  heap::Components components_;          // of what is unreachable
  std::vector<bool> unreachable_;        // without what is uncollectable, at the end
  std::vector<std::uint32_t> finalized_; // nodes whose finalizer is called
  std::vector<std::uint32_t> nodes_;     // unreachable, one for each of found_.objects
  std::unordered_set<Address> addresses_;
  std::unordered_map<Address, cpython::TypeFinalization> finalization_;
  InterpreterGarbage found_;
};

} // namespace

std::string_view fate_name(Fate fate) {
  switch (fate) {
  case Fate::freed:
    return "freed";
  case Fate::uncollectable:
    return "uncollectable";
  case Fate::stays:
    return "stays";
  case Fate::unknown:
    break;
  }
  return "unknown";
}

Result<Garbage> find_garbage(const GarbageInput& input, std::optional<std::size_t> generation) {
  Garbage garbage;
  TypeTable types(input.reader);
  std::vector<Collection> collections;
  for (std::size_t i = 0; i < input.reader.runtime().interpreters.size(); ++i) {
    auto collection = replay_collection(input.reader, input.heap, input.replayer, i, generation);
    if (!collection) {
      return std::unexpected(collection.error());
    }
    auto sorted = Sorter(input.reader, input.heap, types).sort(input, *collection);
    if (!sorted) {
      return std::unexpected(sorted.error());
    }
    garbage.interpreters.push_back(std::move(*sorted));
    collections.push_back(std::move(*collection));
  }
  garbage.types = types.take();
  garbage.incomplete_because = collection_lacks(input.heap, collections);
  return garbage;
}

} // namespace pygc::analysis
