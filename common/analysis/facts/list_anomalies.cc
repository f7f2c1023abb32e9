#include "common/analysis/facts/list_anomalies.h"

#include "common/analysis/facts/being_linked.h"
#include "common/cpython/refcount.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t anomaly_limit = 64; // anomalies that the stacks are asked about
constexpr std::size_t change_limit = 2;   // anomalies that one change of a list may look like

} // namespace

void ListAnomalies::list(Facts& facts) {
  Deallocations deallocations(input_);
  for (const auto* faults : {&input_.heap.corruptions, &input_.heap.counts}) {
    for (const heap::Corruption& corruption : *faults) {
      ListAnomaly anomaly = anomaly_of(corruption);
      if (corruption.kind == heap::CorruptionKind::object && corruption.type == 0 &&
          !corruption.memory_missing && facts.anomalies.size() < anomaly_limit) {
        const auto type = input_.reader.type_address(corruption.object);
        anomaly.deallocation = type ? deallocations.find(corruption.object, *type) : std::nullopt;
        const bool called = anomaly.deallocation && anomaly.deallocation->has_called;
        if (called) {
          anomaly.corruption.in_motion = false; // the first thing to call is PyObject_GC_UnTrack
        } else if (type && !runtime_.layout.free_threaded &&
                   worked_at().contains(corruption.object)) {
          if (anomaly.deallocation) {
            ++facts.being_freed;
            continue; // until it is untracked no collection can begin
          }
          anomaly.corruption.in_motion = true;
          anomaly.corruption.message += ", and a thread is just at it";
        }
      }
      facts.anomalies.push_back(std::move(anomaly));
    }
  }
  if (input_.heap.corruptions.size() <= change_limit) {
    note_linking(facts.anomalies);
  }
}

/// A thread with the GIL changes one list, for one object, at a time.
void ListAnomalies::note_linking(std::vector<ListAnomaly>& anomalies) {
  std::optional<Address> at_hand;
  for (const ListAnomaly& anomaly : anomalies) {
    const auto object = object_being_linked(input_, worked_at(), anomaly.corruption);
    if (!object || (at_hand && at_hand != object)) {
      return;
    }
    at_hand = object;
  }
  for (ListAnomaly& anomaly : anomalies) {
    anomaly.corruption.in_motion = true;
    anomaly.corruption.message +=
        fmt::format("; a thread is just tracking or untracking the object at {:#x}", *at_hand);
  }
}

ListAnomaly ListAnomalies::anomaly_of(const heap::Corruption& corruption) {
  const cpython::Interpreter& interpreter = runtime_.interpreters[corruption.interpreter];
  ListAnomaly anomaly{.corruption = corruption,
                      .interpreter = interpreter.id,
                      .generation = interpreter.spaces[corruption.space].name,
                      .deallocation = {}};
  if (corruption.kind == heap::CorruptionKind::unmerged) {
    anomaly.corruption.in_motion = deeds().merging;
  } else if (corruption.kind == heap::CorruptionKind::object && is_unreferenced(corruption)) {
    anomaly.corruption.in_motion = deeds().freeing;
  }
  return anomaly;
}

const ThreadDeeds& ListAnomalies::deeds() {
  if (!deeds_) {
    deeds_ = thread_deeds(input_);
  }
  return *deeds_;
}

const WorkedAt& ListAnomalies::worked_at() {
  if (!worked_at_) {
    worked_at_.emplace(input_);
  }
  return *worked_at_;
}

std::optional<ListAnomaly> ListAnomalies::motion_of(const LostObjects& lost) {
  ListAnomaly anomaly{
      .corruption = {}, .interpreter = lost.interpreter, .generation = {}, .deallocation = {}};
  anomaly.corruption.in_motion = true;
  if (runtime_.layout.free_threaded && deeds().moving_pages) {
    anomaly.generation = "heaps of threads";
    anomaly.corruption.message = fmt::format("{} tracked objects, such as that at {:#x}, lie on "
                                             "pages that a thread may just be moving",
                                             lost.count, lost.first);
    return anomaly;
  }
  // Within PyObject_GC_Track or PyObject_GC_UnTrack, mostly inlined.
  if (!runtime_.layout.free_threaded && lost.count == 1 && worked_at().contains(lost.first)) {
    anomaly.generation = "lists";
    anomaly.corruption.message =
        fmt::format("a thread may just be tracking or untracking the object at {:#x}", lost.first);
    return anomaly;
  }
  return std::nullopt;
}

/// Without a GIL an object is tracked until its tp_dealloc comes to it, while other threads stop.
bool ListAnomalies::is_unreferenced(const heap::Corruption& corruption) const {
  const auto& free_threaded = runtime_.layout.free_threaded;
  if (!free_threaded || corruption.object == 0 || corruption.type != 0 ||
      corruption.memory_missing) {
    return false;
  }
  const auto count =
      cpython::load_biased_count(input_.image.memory(), *free_threaded, corruption.object);
  return count && count->references(false) == 0;
}

} // namespace pygc::analysis
