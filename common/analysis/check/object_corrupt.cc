#include "common/analysis/check/parts.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::analysis {
namespace {

/// Told at the first of the objects: what is damaged is the type that they share.
void tell_of_type(Finding& finding, Address type, std::uint64_t objects) {
  finding.occurrences = objects;
  finding.address = type;
  finding.message += fmt::format(" The type object at {:#x} is what all {} of them have in common: "
                                 "it was freed or overwritten while they live.",
                                 type, objects);
}

/// Whose fault it is: a tp_dealloc has to untrack its object before it releases anything.
void tell_of_deallocation(Finding& finding, const Deallocation& deallocation) {
  finding.function = deallocation.function;
  finding.message += fmt::format(
      " It is being freed: {}{} of {} is on a stack and has not untracked it (PyObject_GC_UnTrack "
      "comes first in a tp_dealloc), so that a collection that runs meanwhile traverses it.",
      deallocation.function, deallocation.line.empty() ? "" : " (" + deallocation.line + ")",
      deallocation.library);
}

constexpr std::size_t table_limit = 20; // told one by one

Finding broken_table_finding(const BrokenSplitTable& table, Explainer& explainer) {
  Finding finding;
  finding.kind = FindingKind::object_corrupt;
  finding.interpreter = table.interpreter;
  finding.object = explainer.object(table.object);
  finding.address = table.values;
  finding.message = fmt::format(
      "ma_values of this dict is {:#x}, {}: it was overwritten. Its tp_traverse does not look "
      "there, as its keys are of a combined table, but _PyDict_MaybeUntrack does, which a full "
      "collection of CPython 3.13 and older calls for each dict that it keeps, and so does what "
      "reads an entry: they crash.",
      table.values, table.unreadable ? "where there is no memory" : "which is no aligned pointer");
  return finding;
}

Finding free_list_finding(const FreeListFact& fact, Explainer& explainer) {
  const cpython::BrokenFreeList& list = fact.list;
  Finding finding;
  finding.kind = FindingKind::object_corrupt;
  finding.interpreter = fact.interpreter;
  finding.address = list.value;
  std::string what;
  switch (list.fault) {
  case cpython::FreeListFault::no_pointer:
    finding.address = list.place;
    what = fmt::format("{:#x} at {:#x} leads nowhere", list.value, list.place);
    break;
  case cpython::FreeListFault::linked:
    finding.object = explainer.object(list.value);
    what = fmt::format("the GC head of the one at {:#x} leads to others still", list.value);
    break;
  case cpython::FreeListFault::count:
    finding.address = list.place;
    what = fmt::format("their number at {:#x} is {}, for which there is no room", list.place,
                       static_cast<std::int32_t>(list.value));
    break;
  }
  finding.message = fmt::format(
      "The list of free {}s that the interpreter keeps for the next ones is broken: {}. A free {} "
      "was written to, or the list. A full collection empties the list, and crashes; so does who "
      "makes the next {}.",
      list.type, what, list.type, list.type);
  return finding;
}

bool has_incidents(const Facts& facts) {
  return std::ranges::any_of(facts.collections, [](const CollectionFacts& collection) {
    return !collection.incidents.groups.empty();
  });
}

} // namespace

Detection detect_object_corrupt(const Facts& facts, Explainer& explainer) {
  Detection detection;
  for (const ToldAnomaly& told : told_anomalies(facts, heap::CorruptionKind::object)) {
    Finding finding = anomaly_finding(FindingKind::object_corrupt, *told.first, explainer);
    if (told.objects > 1) {
      tell_of_type(finding, told.first->corruption.type, told.objects);
    }
    if (told.first->deallocation) {
      tell_of_deallocation(finding, *told.first->deallocation);
    }
    detection.findings.push_back(std::move(finding));
  }
  std::size_t told = 0;
  for (const BrokenSplitTable& table : facts.broken_tables) {
    // Without dk_kind a traversal that has failed may have done so for these values.
    if (told < table_limit && (table.kind_known || !has_incidents(facts))) {
      detection.findings.push_back(broken_table_finding(table, explainer));
      ++told;
    }
  }
  for (const FreeListFact& fact : facts.free_lists) {
    detection.findings.push_back(free_list_finding(fact, explainer));
  }
  note_rest(detection, facts.broken_tables.size(), table_limit, "dicts with broken tables");
  return detection;
}

} // namespace pygc::analysis
