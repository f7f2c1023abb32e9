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

  InterpreterGarbage sort(const Collection& collection) {
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
    return std::move(found_);
  }

  /// After sort(): runs tp_clear of what the collection would delete. Errors: cancelled.
  Result<LeftGarbage> find_left(const image::ProcessImage& image, const Collection& collection,
                                const TracerSource& tracer) {
    return find_left_garbage({.image = image,
                              .reader = reader_,
                              .collection = collection,
                              .components = components_,
                              .deleted = unreachable_,
                              .finalized = finalized_},
                             tracer);
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
    std::map<std::uint32_t, Counts> cycles; // by component
    std::map<std::uint32_t, Address> examples;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::uint32_t component = components_.of[nodes_[i]];
      if (!components_.cyclic[component]) {
        ++found_.outside_cycles;
        continue;
      }
      GarbageObject& object = found_.objects[i];
      object.cycle = component;
      ++cycles[component][object.type];
      examples.emplace(component, object.address);
    }
    std::map<Counts, std::size_t> groups;
    for (const auto& [component, counts] : cycles) {
      const auto [at, added] = groups.emplace(counts, found_.cycles.size());
      if (added) {
        found_.cycles.push_back({.size = components_.sizes[component],
                                 .types = rows(counts),
                                 .example = examples.at(component)});
      }
      ++found_.cycles[at->second].cycles;
    }
    std::ranges::stable_sort(found_.cycles, std::ranges::greater(),
                             [](const CycleGroup& group) { return group.cycles * group.size; });
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

Result<Garbage> find_garbage(const GarbageInput& input, std::optional<std::size_t> generation) {
  Garbage garbage;
  TypeTable types(input.reader);
  std::vector<Collection> collections;
  for (std::size_t i = 0; i < input.reader.runtime().interpreters.size(); ++i) {
    auto collection = replay_collection(input.reader, input.heap, input.replayer, i, generation);
    if (!collection) {
      return std::unexpected(collection.error());
    }
    Sorter sorter(input.reader, input.heap, types);
    garbage.interpreters.push_back(sorter.sort(*collection));
    auto left = sorter.find_left(input.image, *collection, input.tracer);
    if (!left) {
      return std::unexpected(left.error());
    }
    garbage.interpreters.back().left = std::move(*left);
    collections.push_back(std::move(*collection));
  }
  garbage.types = types.take();
  garbage.incomplete_because = collection_lacks(input.heap, collections);
  return garbage;
}

} // namespace pygc::analysis
