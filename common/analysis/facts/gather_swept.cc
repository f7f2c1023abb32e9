#include "common/analysis/facts/gather_swept.h"

#include "common/analysis/facts/code_holds.h"
#include "common/analysis/facts/crash_facts.h"
#include "common/analysis/facts/swept_types.h"
#include "common/analysis/facts/trace_facts.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pygc::analysis {
namespace {

/// The traced visits that lead to some objects, over other containers too.
class TracedPaths {
public:
  TracedPaths(const SlotSurvey& survey, std::span<const Address> ends)
      : objects_(ends.begin(), ends.end()) {
    std::unordered_multimap<Address, Address> containers; // by what they visit
    const auto not_completed = survey.not_completed();
    for (const SlotVisit& visit : survey.visits) {
      if (visit.counted && !not_completed.contains(visit.request)) {
        containers.emplace(visit.object, survey.container(visit));
      }
    }
    std::unordered_set<Address> seen(ends.begin(), ends.end());
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      const auto [first, last] = containers.equal_range(objects_[i]);
      for (auto each = first; each != last; ++each) {
        visits_.emplace_back(each->second, each->first);
        if (seen.insert(each->second).second) {
          objects_.push_back(each->second);
        }
      }
    }
    std::ranges::sort(objects_);
  }

  /// The ends and all from which a path leads to them, ascending.
  const std::vector<Address>& objects() const { return objects_; }

  /// Those of them that are roots or visited, at last, by one.
  template <class IsRoot> std::unordered_set<Address> reachable(IsRoot is_root) const {
    std::unordered_set<Address> reached;
    std::ranges::copy_if(objects_, std::inserter(reached, reached.end()), is_root);
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const auto& [container, object] : visits_) {
        if (reached.contains(container)) {
          reached.insert(object);
        }
      }
    }
    return reached;
  }

private:
  std::vector<Address> objects_;
  std::vector<std::pair<Address, Address>> visits_; // container, object
};

class SweptGatherer {
public:
  SweptGatherer(const CheckInput& input, replay::Sweep& sweep)
      : input_(input), sweep_(sweep), runtime_(input.reader.runtime()) {}

  Result<std::optional<SweptFacts>> run() {
    auto crash = gather_crash(input_);
    if (crash && crash->stack.deed != cpython::Deed::none) {
      return std::nullopt; // what the collector died of is looked at with care
    }
    // While the replayer is at work.
    if (!runtime_.interpreters.front().collecting) {
      code_holds_ = find_code_holds(input_);
    }
    frames_ = frame_references_by_object(input_.reader, runtime_.interpreters.front());
    SweptFacts swept;
    swept.facts.mismatched_files = find_mismatched_files(input_.image);
    swept.facts.free_lists = find_broken_free_lists(input_);
    const auto lists = sweep_.walk();
    if (!lists) {
      return std::unexpected(lists.error());
    }
    if (!*lists || !are_types(input_.reader, **lists)) {
      return std::nullopt;
    }
    swept.facts.truncated = input_.truncated;
    swept.facts.crash = std::move(crash);
    count(**lists, swept.heap);
    CollectionFacts collection;
    collection.interpreter = runtime_.interpreters.front().id;
    collection.objects = (*lists)->collected;
    collection.set.immortal = (*lists)->immortal;
    if (collection.objects != 0) {
      const auto plain = collect(**lists, collection);
      if (!plain) {
        return std::unexpected(plain.error());
      }
      if (!*plain) {
        return std::nullopt;
      }
    }
    swept.facts.collections.push_back(std::move(collection));
    return swept;
  }

private:
  /// The lists of the sweep are in the order of swept_spaces().
  void count(const replay::SweptLists& lists, heap::Heap& heap) const {
    const cpython::Interpreter& interpreter = runtime_.interpreters.front();
    const std::vector<std::size_t> swept = heap::swept_spaces(runtime_, interpreter);
    for (std::size_t i = 0; i < swept.size(); ++i) {
      heap.spaces.push_back({.interpreter = 0,
                             .space = swept[i],
                             .first = 0,
                             .count = lists.counts[i],
                             .collecting = 0});
    }
    std::ranges::sort(heap.spaces, {}, &heap::SpaceRange::space);
  }

  /// False: something is not plain.
  Result<bool> collect(const replay::SweptLists& lists, CollectionFacts& facts) {
    std::vector<replay::TraceRequest> requests;
    if (input_.tracer != nullptr) {
      auto planned = plan(lists);
      if (!planned) {
        return std::unexpected(planned.error());
      }
      std::optional<std::vector<replay::TraceRequest>>& plain = *planned;
      if (!plain) {
        return false;
      }
      requests = std::move(*plain);
    }
    if (auto started = sweep_.start_traversals(); !started) {
      return std::unexpected(started.error());
    }
    if (input_.tracer != nullptr) { // while the other replayer is at work
      Ownership ownership(input_.image, input_.reader);
      auto traced = trace_slots(input_, ownership, std::move(requests), {});
      if (traced) {
        facts.trace = std::move(*traced);
      } else if (traced.error().kind == ErrorKind::cancelled) {
        return std::unexpected(traced.error());
      } else {
        facts.trace_failure = traced.error();
      }
    }
    const auto totals = sweep_.finish_traversals();
    if (!totals) {
      return std::unexpected(totals.error());
    }
    if (!*totals) {
      return false;
    }
    const auto counted = counts_frames();
    if (!counted || !*counted) {
      return counted;
    }
    facts.replayed.traversed = lists.collected;
    facts.replayed.visits = (*totals)->visits;
    facts.replayed.seconds = lists.seconds + (*totals)->seconds;
    const auto plain = facts.trace ? find_referents(facts) : Result<bool>(true);
    return plain && *plain ? uses_no_garbage(facts) : plain;
  }

  /// False: a C function uses an object that is not seen to be reachable.
  Result<bool> uses_no_garbage(const CollectionFacts& facts) {
    std::vector<Address> held; // ascending
    for (const auto& [object, holds] : code_holds_) {
      held.push_back(object);
    }
    const auto of_held = gc_refs_of(held);
    if (!of_held || !*of_held) {
      return of_held ? Result<bool>(false) : std::unexpected(of_held.error());
    }
    std::vector<Address> without; // references from outside
    for (const auto& [object, refs] : **of_held) {
      if (refs == 0) {
        without.push_back(object);
      }
    }
    if (without.empty() || !facts.trace) {
      return without.empty();
    }
    const TracedPaths paths(facts.trace->survey, without);
    const auto gc_refs = gc_refs_of(paths.objects());
    if (!gc_refs || !*gc_refs) {
      return gc_refs ? Result<bool>(false) : std::unexpected(gc_refs.error());
    }
    const auto reachable = paths.reachable(
        [&](Address object) { return (*gc_refs)->contains(object) && (*gc_refs)->at(object) > 0; });
    return std::ranges::all_of(without, [&](Address object) { return reachable.contains(object); });
  }

  /// False: a running function uses an object whose count does not say so.
  Result<bool> counts_frames() {
    std::vector<Address> objects; // ascending
    objects.reserve(frames_.size());
    for (const auto& [object, held] : frames_) {
      objects.push_back(object);
    }
    const auto gc_refs = gc_refs_of(objects);
    if (!gc_refs) {
      return std::unexpected(gc_refs.error());
    }
    return *gc_refs &&
           find_undercounted(frames_, runtime_.interpreters.front().id, **gc_refs).empty();
  }

  /// What plan_traces() would: the sample, and the dictionaries of the modules. Nothing: something
  /// is not plain.
  Result<std::optional<std::vector<replay::TraceRequest>>> plan(const replay::SweptLists& lists) {
    std::vector<replay::TraceRequest> requests;
    std::unordered_set<Address> chosen;
    std::vector<Address> dicts;
    std::unordered_map<Address, bool> modules; // types
    for (const replay::SweptObject& sample : lists.samples) {
      requests.push_back({sample.object, 0});
      chosen.insert(sample.object);
      const auto [type, fresh] = modules.try_emplace(sample.type, false);
      if (fresh) {
        type->second = input_.reader.is_instance(sample.type, "PyModule_Type");
      }
      const auto module = type->second ? input_.reader.module(sample.object)
                                       : Result<cpython::ModuleInfo>(cpython::ModuleInfo{});
      if (module && module->dict != 0) {
        dicts.push_back(module->dict);
      }
    }
    const auto collecting = sweep_.find(dicts);
    if (!collecting) {
      return std::unexpected(collecting.error());
    }
    const std::optional<std::vector<bool>>& found = *collecting;
    if (!found) {
      return std::nullopt;
    }
    for (std::size_t i = 0; i < dicts.size(); ++i) {
      if ((*found)[i] && chosen.insert(dicts[i]).second) {
        requests.push_back({dicts[i], 0});
      }
    }
    return requests;
  }

  /// False: that one is reachable is not to be seen from what was traced.
  Result<bool> find_referents(CollectionFacts& facts) {
    const std::vector<Address> suspicious = suspicious_objects(*facts.trace);
    const TracedPaths paths(facts.trace->survey, suspicious);
    const auto read = gc_refs_of(paths.objects());
    if (!read) {
      return std::unexpected(read.error());
    }
    const std::optional<std::map<Address, std::int64_t>>& gc_refs = *read;
    if (!gc_refs) {
      return false;
    }
    const auto reachable = paths.reachable(
        [&](Address object) { return gc_refs->contains(object) && gc_refs->at(object) > 0; });
    for (const Address object : suspicious) {
      if (!gc_refs->contains(object)) {
        continue; // not collected
      }
      const auto count = cpython::load_refcount(input_.reader.memory(), runtime_.layout, object);
      const std::uint64_t refcount = count ? runtime_.refcount(*count) : 0;
      const std::int64_t refs = gc_refs->at(object);
      if (!reachable.contains(object) || refs < 0 || refs > static_cast<std::int64_t>(refcount)) {
        return false;
      }
      const heap::SetIndex index(facts.set.objects.size());
      facts.set.objects.push_back(object);
      facts.set.refcounts.push_back(refcount);
      facts.replayed.gc_refs.push_back(refs);
      facts.trace->referents[object] = {index, true};
    }
    return true;
  }

  /// Of those that are collected. Nothing: something is not plain.
  Result<std::optional<std::map<Address, std::int64_t>>>
  gc_refs_of(const std::vector<Address>& objects) {
    const auto collecting = sweep_.find(objects);
    if (!collecting) {
      return std::unexpected(collecting.error());
    }
    const std::optional<std::vector<bool>>& found = *collecting;
    if (!found) {
      return std::nullopt;
    }
    std::vector<Address> collected;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if ((*found)[i]) {
        collected.push_back(objects[i]);
      }
    }
    const auto values = sweep_.gc_refs(collected);
    if (!values) {
      return std::unexpected(values.error());
    }
    std::map<Address, std::int64_t> gc_refs;
    for (std::size_t i = 0; i < collected.size(); ++i) {
      gc_refs.emplace(collected[i], (*values)[i].value_or(-1));
    }
    return gc_refs;
  }

  const CheckInput& input_;
  replay::Sweep& sweep_;
  const cpython::Runtime& runtime_;
  CodeHolds code_holds_; // when no collection runs
  FrameReferences frames_;
};

} // namespace

Result<std::optional<SweptFacts>> gather_swept(const CheckInput& input, replay::Sweep& sweep) {
  return SweptGatherer(input, sweep).run();
}

} // namespace pygc::analysis
