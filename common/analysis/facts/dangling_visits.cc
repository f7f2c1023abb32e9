#include "common/analysis/facts/dangling_visits.h"

#include "common/base/address_set.h"
#include "common/cpython/objects/pools.h"
#include "common/replay/protocol/found_walk.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t piece = 1 << 16;     // containers whose visits are listed at once
constexpr std::size_t object_limit = 1000; // dead objects that are kept
constexpr std::size_t visitor_limit = 200; // of one, that are kept and traced
constexpr Address dead_byte = 0xdd;        // PYMEM_DEADBYTE
constexpr Address clean_byte = 0xcd;       // PYMEM_CLEANBYTE
constexpr Address old_dead_byte = 0xdb;    // up to 3.7, and what else fills freed memory so

constexpr std::string_view no_memory = "no memory is there";

bool filled_with(Address word, Address byte) {
  return word == byte * 0x0101'0101'0101'0101U;
}

class Search {
public:
  Search(const CheckInput& input, std::int64_t interpreter)
      : input_(input), runtime_(input.reader.runtime()), interpreter_(interpreter) {
    for (const Address object : input.heap.objects) {
      listed_.insert(object);
    }
    for (std::size_t i = 0; i < input.heap.objects.size(); ++i) {
      if (!input.heap.usable[heap::HeapIndex(i)]) {
        told_.insert(input.heap.objects[heap::HeapIndex(i)]);
      }
    }
  }

  void look_at(Address container, Address object) {
    if (told_.contains(object)) {
      return;
    }
    std::string state = state_of(object);
    if (state.empty()) {
      if (is_lost(object) && lost_seen_.insert(object).second && lost_.first == 0) {
        lost_.first = object;
        lost_.container = container;
      }
      return;
    }
    auto found = dead_.find(object);
    if (found == dead_.end()) {
      if (dead_.size() >= object_limit) {
        return;
      }
      found = dead_
                  .emplace(object, DanglingVisit{.interpreter = interpreter_,
                                                 .object = object,
                                                 .wild = state == no_memory,
                                                 .state = std::move(state),
                                                 .by = {}})
                  .first;
    }
    auto& by = found->second.by;
    if (!by.empty() && by.back().container == container) {
      ++by.back().visits;
    } else if (by.size() < visitor_limit) {
      by.push_back({.container = container, .visits = 1, .slot = {}});
    }
  }

  Result<void> find_slots() {
    std::vector<replay::TraceRequest> requests;
    std::unordered_set<Address> requested; // a damaged container may visit a thousand of them
    for (const auto& [object, visit] : dead_) {
      for (const DanglingVisit::By& by : visit.by) {
        if (requests.size() < visitor_limit && requested.insert(by.container).second) {
          requests.push_back({by.container, 0});
        }
      }
    }
    if (input_.tracer == nullptr || requests.empty()) {
      return {};
    }
    const auto trace = input_.tracer->trace(requests);
    if (!trace) {
      // Slots are worth telling, not needed.
      return trace.error().kind == ErrorKind::cancelled
                 ? Result<void>(std::unexpected(trace.error()))
                 : Result<void>();
    }
    for (const replay::TracedVisit& visit : trace->visits) {
      const auto found = dead_.find(visit.object);
      if (found == dead_.end()) {
        continue;
      }
      for (DanglingVisit::By& by : found->second.by) {
        if (by.container == requests[visit.request].container && !by.slot.is_known()) {
          by.slot = visit.slot;
        }
      }
    }
    return {};
  }

  VisitedFacts take() {
    VisitedFacts facts;
    for (auto& [object, visit] : dead_) {
      facts.dangling.push_back(std::move(visit));
    }
    facts.lost = lost_;
    facts.lost.interpreter = interpreter_;
    facts.lost.count = lost_seen_.size();
    return facts;
  }

private:
  /// Types that say of each object whether it has a GC head are left out: only the target's code
  /// knows.
  bool is_lost(Address object) {
    if (listed_.contains(object)) {
      return false;
    }
    const auto type = input_.reader.type_address(object);
    if (!type || !input_.reader.type(*type).problem.empty() ||
        input_.reader.type(*type).is_gc != 0) {
      return false;
    }
    return input_.reader.is_tracked(object).value_or(false);
  }

  /// Empty for what may be a live object, or cannot be read.
  std::string state_of(Address object) {
    const auto count = cpython::load_refcount(input_.reader.memory(), runtime_.layout, object);
    const auto type = input_.reader.type_address(object);
    if (!count || !type) {
      return is_nowhere(object) ? std::string(no_memory) : std::string();
    }
    for (const Address byte : {dead_byte, clean_byte, old_dead_byte}) {
      if (filled_with(*type, byte)) {
        return fmt::format("its memory is filled with {:#x}: it was freed", byte);
      }
    }
    // A free block of pymalloc begins with the address of the next one in its pool.
    if (!runtime_.layout.free_threaded && cpython::Pools::in_one_place(*count, object)) {
      return "its memory is a free block of pymalloc";
    }
    if (!runtime_.layout.free_threaded && is_address(*count)) {
      return "its reference count is an address, that of the next block which is kept for reuse: "
             "it was freed";
    }
    const auto references = static_cast<std::int64_t>(runtime_.refcount(*count));
    if (const std::string& problem = type_problem(*type); !problem.empty()) {
      return references == 0 // objects that are kept for reuse are linked by ob_type
                 ? fmt::format("its reference count is 0, and {}: it was freed", problem)
                 : "it is no object: " + problem;
    }
    if (runtime_.is_immortal(*count)) {
      return {};
    }
    return references > 0
               ? std::string()
               : fmt::format("its reference count is {}: it was freed, or is about to be",
                             references);
  }

  /// Free lists of CPython 3.14 and later link their objects by the first word
  /// (_PyFreeList_PushUnchecked, Include/internal/pycore_freelist.h).
  bool is_address(std::uint64_t count) const {
    return (count & replay::protocol::unused_count_bits) != 0 &&
           input_.reader.memory().find(count) != nullptr;
  }

  /// Unlike memory that the core lacks.
  bool is_nowhere(Address object) const {
    const image::AddressSpace& memory = input_.reader.memory();
    return memory.find(object + runtime_.layout.ob_refcnt) == nullptr &&
           memory.find(object + runtime_.layout.ob_type) == nullptr;
  }

  /// Of any type, not only of a GC type.
  const std::string& type_problem(Address type) {
    if (last_problem_ != nullptr && type == last_type_) {
      return *last_problem_;
    }
    const auto [found, fresh] = types_.try_emplace(type);
    if (fresh) {
      const cpython::TypeInfo& info = input_.reader.type(type);
      if (info.name.empty() && !info.memory_missing) {
        found->second = info.problem;
      }
    }
    last_type_ = type;
    last_problem_ = &found->second;
    return found->second;
  }

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  std::int64_t interpreter_;
  std::unordered_set<Address> told_;
  AddressSet listed_;                     // by the collector
  std::unordered_set<Address> lost_seen_; // and not
  LostObjects lost_;
  std::unordered_map<Address, std::string> types_; // what is wrong with them
  Address last_type_ = 0;
  const std::string* last_problem_ = nullptr;
  std::map<Address, DanglingVisit> dead_;
};

} // namespace

Result<VisitedFacts> find_dangling(const CheckInput& input, std::int64_t interpreter,
                                   const heap::CollectedSet& set,
                                   std::span<const replay::Incident> incidents) {
  Search search(input, interpreter);
  // Not waited for a second time; the replayer leaves out the rest of a function that it skips.
  std::unordered_set<Address> endless;
  for (const replay::Incident& incident : incidents) {
    if (incident.outcome == replay::Outcome::timeout) {
      endless.insert(set.objects[heap::SetIndex(incident.container)]);
    }
  }
  std::vector<Address> containers;
  for (const Address object : set.objects) {
    if (!endless.contains(object)) {
      containers.push_back(object);
    }
  }
  for (std::size_t first = 0; first < containers.size(); first += piece) {
    const auto part =
        std::span(containers).subspan(first, std::min(piece, containers.size() - first));
    const auto visits = input.replayer.visits(part, 0, nullptr);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    for (const replay::Visit& visit : *visits) {
      search.look_at(part[visit.container], visit.object);
    }
  }
  if (auto found = search.find_slots(); !found) {
    return std::unexpected(found.error());
  }
  return search.take();
}

} // namespace pygc::analysis
