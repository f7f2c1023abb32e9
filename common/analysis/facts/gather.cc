#include "common/analysis/facts/gather.h"

#include "common/analysis/facts/list_anomalies.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/reachability.h"
#include "common/analysis/facts/trace_facts.h"
#include "common/analysis/facts/trace_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

constexpr std::size_t negative_limit = 64; // negative objects whose visitors are looked up
static_assert(negative_limit <= replay::max_watched);

class Gatherer {
public:
  Gatherer(const CheckInput& input, const Wanted& wanted)
      : input_(input), wanted_(wanted), runtime_(input.reader.runtime()),
        ownership_(input.image, input.reader), stale_(heap::stale_collecting(input.heap)),
        list_anomalies_(input) {}

  Result<Facts> run() {
    Facts facts;
    facts.truncated = input_.truncated;
    list_anomalies_.list(facts);
    facts.mismatched_files = find_mismatched_files(input_.image);
    for (std::size_t i = 0; i < runtime_.interpreters.size(); ++i) {
      CollectionFacts collection;
      collection.interpreter = runtime_.interpreters[i].id;
      collection.set = heap::collect_spaces(runtime_, input_.heap, i, SIZE_MAX);
      collection.objects = collection.set.objects.size();
      if (auto gathered = gather(collection); !gathered) {
        return std::unexpected(gathered.error());
      }
      facts.collections.push_back(std::move(collection));
    }
    if (wanted_.contents) {
      facts.unfinished = find_unfinished_tuples(input_);
      drop_being_made(facts);
      facts.broken_tables = find_broken_split_tables(input_);
      facts.free_lists = find_broken_free_lists(input_);
    }
    if (wanted_.frames) {
      for (std::size_t i = 0; i < facts.collections.size(); ++i) {
        count_frames(runtime_.interpreters[i], facts.collections[i], facts.undercounted);
      }
    }
    if (wanted_.frames) {
      if (auto found = find_in_use(facts); !found) {
        return std::unexpected(found.error());
      }
    }
    if (wanted_.running) {
      auto running = gather_running(input_, stale_);
      if (!running) {
        return std::unexpected(running.error());
      }
      facts.running = std::move(*running);
    }
    if (wanted_.crash) {
      facts.crash = gather_crash(input_);
    }
    if (wanted_.dangling) {
      for (const CollectionFacts& collection : facts.collections) {
        auto found = find_dangling(input_, collection.interpreter, collection.set,
                                   collection.replayed.incidents);
        if (!found) {
          return std::unexpected(found.error());
        }
        facts.dangling.insert(facts.dangling.end(), found->dangling.begin(), found->dangling.end());
        if (found->lost.count != 0) {
          if (auto motion = list_anomalies_.motion_of(found->lost)) {
            facts.anomalies.push_back(std::move(*motion));
          } else {
            facts.lost.push_back(found->lost);
          }
        }
      }
    }
    return facts;
  }

private:
  replay::Round round_of(const CollectionFacts& facts) const {
    return {.objects = facts.set.objects,
            .refcounts = facts.set.refcounts,
            .watched = {},
            .clear_collecting = stale_};
  }

  Result<void> gather(CollectionFacts& facts) {
    if (facts.set.objects.empty()) {
      return {};
    }
    const replay::Round round = round_of(facts);
    auto replayed = input_.replayer.run(round);
    if (!replayed) {
      return std::unexpected(replayed.error());
    }
    facts.replayed = std::move(*replayed);
    facts.incidents = summarize_incidents(input_, facts.set, facts.replayed.incidents);
    if (input_.second != nullptr) {
      auto compared = compare_engines(input_.replayer, *input_.second, round, facts.replayed);
      if (compared) {
        facts.engines = std::move(*compared);
      } else if (auto kept = keep(compared.error(), facts.compare_failure); !kept) {
        return kept;
      }
    }
    if (wanted_.negatives) {
      if (auto attributed = attribute_negatives(facts); !attributed) {
        return attributed;
      }
    }
    if (input_.tracer != nullptr) {
      if (const auto traced = trace(facts); !traced) {
        return keep(traced.error(), facts.trace_failure);
      }
    }
    return {};
  }

  /// Only the user's interruption ends all.
  static Result<void> keep(const Error& error, std::optional<Error>& failure) {
    if (error.kind == ErrorKind::cancelled) {
      return std::unexpected(error);
    }
    failure = error;
    return {};
  }

  /// Tuples to which there is one reference, and no container has that: their makers fill them.
  static void drop_being_made(Facts& facts) {
    std::set<Address> being_made;
    for (const UnfinishedTuple& tuple : facts.unfinished) {
      if (!tuple.handed_out) {
        being_made.insert(tuple.object);
      }
    }
    for (const CollectionFacts& collection : facts.collections) {
      for (std::size_t i = 0; i < collection.set.objects.size() && !being_made.empty(); ++i) {
        if (const heap::SetIndex object(i); collection.gc_refs(object) == 0) {
          being_made.erase(collection.set.objects[object]);
        }
      }
    }
    std::erase_if(facts.unfinished,
                  [&](const UnfinishedTuple& tuple) { return being_made.contains(tuple.object); });
  }

  void count_frames(const cpython::Interpreter& interpreter, const CollectionFacts& collection,
                    std::vector<UndercountedObject>& undercounted) {
    const FrameReferences references = frame_references_by_object(input_.reader, interpreter);
    std::map<Address, std::int64_t> gc_refs;
    for (std::size_t i = 0; i < collection.set.objects.size() && !references.empty(); ++i) {
      if (const heap::SetIndex object(i); references.contains(collection.set.objects[object])) {
        gc_refs.emplace(collection.set.objects[object], collection.gc_refs(object));
      }
    }
    std::ranges::move(find_undercounted(references, interpreter.id, gc_refs),
                      std::back_inserter(undercounted));
  }

  /// While a collection runs its own functions hold what it has found to be garbage.
  Result<void> find_in_use(Facts& facts) {
    if (std::ranges::any_of(runtime_.interpreters, &cpython::Interpreter::collecting)) {
      return {};
    }
    const CodeHolds holds = find_code_holds(input_);
    for (std::size_t i = 0; i < facts.collections.size() && !holds.empty(); ++i) {
      const CollectionFacts& collection = facts.collections[i];
      std::set<Address> frame_roots;
      for (const auto& [object, references] :
           frame_references_by_object(input_.reader, runtime_.interpreters[i])) {
        frame_roots.insert(object);
      }
      auto found = find_garbage_in_use(input_, collection.interpreter, holds, frame_roots,
                                       collection.set, collection.replayed, stale_);
      if (!found) {
        return std::unexpected(found.error());
      }
      std::ranges::move(*found, std::back_inserter(facts.in_use));
    }
    return {};
  }

  Result<void> attribute_negatives(CollectionFacts& facts) {
    std::vector<std::uint32_t> watched;
    for (std::size_t i = 0; i < facts.replayed.gc_refs.size(); ++i) {
      if (facts.replayed.gc_refs[i] >= 0) {
        continue;
      }
      if (watched.size() < negative_limit) {
        watched.push_back(static_cast<std::uint32_t>(i));
      } else {
        ++facts.further_negatives;
      }
    }
    if (watched.empty()) {
      return {};
    }
    replay::Round round = round_of(facts);
    round.watched = watched;
    const auto attributed = input_.replayer.run(round);
    if (!attributed) {
      return std::unexpected(attributed.error());
    }
    std::map<std::uint32_t, std::vector<replay::Decrement>> by_object;
    for (const replay::Decrement& decrement : attributed->decrements) {
      by_object[decrement.watched].push_back(decrement);
    }
    for (const std::uint32_t object : watched) {
      facts.negatives.push_back({heap::SetIndex(object), std::move(by_object[object])});
    }
    return {};
  }

  /// tp_traverse of a sample and of all that visit a negative object.
  std::vector<replay::TraceRequest> requests(const CollectionFacts& facts) {
    std::vector<Address> visitors;
    for (const NegativeObject& negative : facts.negatives) {
      for (const replay::Decrement& decrement : negative.told()) {
        visitors.push_back(facts.set.objects[heap::SetIndex(decrement.container)]);
      }
    }
    std::vector<replay::TraceRequest> planned = plan_traces(input_, facts.set, visitors);
    const std::size_t count = wanted_.lone_modules ? planned.size() : 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (input_.reader.is_module(planned[i].container)) {
        const auto module = input_.reader.module(planned[i].container);
        if (module && module->traverses()) {
          planned.push_back({planned[i].container, module->traverse});
        }
      }
    }
    return planned;
  }

  Result<void> trace(CollectionFacts& facts) {
    auto trace = trace_slots(input_, ownership_, requests(facts), wanted_.watched_functions);
    if (!trace) {
      return std::unexpected(trace.error());
    }
    if (wanted_.reachability) {
      if (auto found = find_referents(facts, *trace); !found) {
        return found;
      }
    }
    facts.trace = std::move(*trace);
    return {};
  }

  Result<void> find_referents(const CollectionFacts& facts, TraceFacts& trace) {
    const std::vector<Address> wanted = suspicious_objects(trace);
    if (wanted.empty()) {
      return {};
    }
    // What has references from outside needs no search: the graph of a large heap is dear.
    bool search = false;
    for (std::size_t i = 0; i < facts.set.objects.size(); ++i) {
      const heap::SetIndex object(i);
      if (std::ranges::binary_search(wanted, facts.set.objects[object])) {
        const bool root = facts.gc_refs(object) != 0;
        trace.referents[facts.set.objects[object]] = {object, root};
        search = search || !root;
      }
    }
    if (!search) {
      return {};
    }
    const auto reachable = find_reachable(input_.replayer, facts.set, facts.replayed, stale_);
    if (!reachable) {
      return std::unexpected(reachable.error());
    }
    for (auto& [object, referent] : trace.referents) {
      referent.reachable = (*reachable)[referent.object];
    }
    return {};
  }

  const CheckInput& input_;
  const Wanted& wanted_;
  const cpython::Runtime& runtime_;
  Ownership ownership_;
  std::vector<Address> stale_;
  ListAnomalies list_anomalies_;
};

} // namespace

Result<Facts> gather_facts(const CheckInput& input, const Wanted& wanted) {
  return Gatherer(input, wanted).run();
}

} // namespace pygc::analysis
