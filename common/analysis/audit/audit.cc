#include "common/analysis/audit/audit.h"

#include "common/analysis/audit/audit_incidents.h"
#include "common/analysis/audit/audit_ledger.h"
#include "common/analysis/audit/unvisited_fields.h"
#include "common/analysis/facts/explain.h"
#include "common/analysis/facts/gather.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/traverse_function.h"

#include <fmt/format.h>
#include <map>

namespace pygc::analysis {
namespace {

class Auditor {
public:
  explicit Auditor(const CheckInput& input)
      : input_(input), runtime_(input.reader.runtime()),
        explainer_(input.image, input.reader, input.heap), ownership_(input.image, input.reader),
        ledger_(input, explainer_, ownership_), incidents_(input, explainer_, ledger_) {}

  Result<AuditReport> run() {
    const std::vector<Address> allocators = incidents_.allocators();
    const auto facts =
        gather_facts(input_, {.lone_modules = true, .watched_functions = allocators});
    if (!facts) {
      return std::unexpected(facts.error());
    }
    for (const CollectionFacts& collection : facts->collections) {
      if (collection.trace_failure) {
        return std::unexpected(*collection.trace_failure);
      }
      if (!collection.trace) { // nothing to collect
        continue;
      }
      if (auto examined = examine(collection, *collection.trace); !examined) {
        return std::unexpected(examined.error());
      }
    }
    tell_incomplete();
    report_.functions = ledger_.finish();
    return std::move(report_);
  }

private:
  Result<void> examine(const CollectionFacts& collection, const TraceFacts& trace) {
    report_.traced += trace.survey.requests.size();
    ledger_.enter(trace.survey);
    examine_visits(trace.survey);
    examine_types(trace.survey, collection);
    incidents_.examine(trace.survey);
    for (const DuplicateSlot& duplicate : trace.duplicate_slots) {
      add_duplicate(duplicate);
    }
    const auto fields = find_unvisited_fields(input_, collection.set, collection.replayed,
                                              trace.survey, ownership_);
    if (!fields) {
      return std::unexpected(fields.error());
    }
    for (const UnvisitedField& field : *fields) {
      add_unvisited(field);
    }
    return {};
  }

  void examine_visits(const SlotSurvey& survey) {
    for (const SlotVisit& visit : survey.visits) {
      const replay::TraceRequest& request = survey.requests[visit.request];
      if (!visit.is_unowned() || ledger_.is_m_traverse_elsewhere(request)) {
        continue;
      }
      Violation& violation = ledger_.add(
          {ledger_.function_of(request), Rule::unowned_visit, visit.slot.at, 0}, request.container);
      if (violation.message.empty()) {
        ledger_.set_slot(violation, visit.slot);
        violation.proven = !is_single_with_globals(request);
        violation.message = fmt::format(
            "visits {} through {}, which belongs to the {}",
            explainer_.object(visit.object).summary,
            violation.slot_name.empty() ? fmt::format("{:#x}", visit.slot.at) : violation.slot_name,
            violation.owner == Owner::static_storage ? "library's static storage"
                                                     : owner_name(violation.owner));
      }
    }
  }

  /// An m_traverse that is right as long as its module is the only instance.
  bool is_single_with_globals(const replay::TraceRequest& request) {
    if (request.function == 0) {
      return false;
    }
    const auto module = input_.reader.module(request.container);
    return module && module->is_single_with_globals();
  }

  /// Since 3.9 instances of heap types visit their type (they own a reference to it since 3.8).
  void examine_types(const SlotSurvey& survey, const CollectionFacts& collection) {
    if (!runtime_.layout.ht_module) { // PyHeapTypeObject.ht_module is as old as the rule
      return;
    }
    std::map<Address, std::vector<const replay::TraceRequest*>> silent; // by type
    const auto broken = survey.not_completed();
    auto visit = survey.visits.begin();
    for (std::uint32_t i = 0; i < survey.requests.size(); ++i) {
      const replay::TraceRequest& request = survey.requests[replay::RequestIndex(i)];
      const auto type = input_.reader.type_address(request.container);
      bool visited = false;
      for (; visit != survey.visits.end() && visit->request == i; ++visit) {
        visited = visited || (type && visit->object == *type);
      }
      if (type && !visited && request.function == 0 && !broken.contains(i) &&
          input_.reader.type(*type).has_flag(cpython::type_flag::heap_type)) {
        silent[*type].push_back(&request);
      }
    }
    for (std::size_t i = 0; i < collection.set.objects.size(); ++i) {
      const heap::SetIndex object(i);
      // References that no visit accounts for: each silent instance owns one of them, or none does.
      const auto found = silent.find(collection.set.objects[object]);
      if (found != silent.end() &&
          collection.gc_refs(object) >= static_cast<std::int64_t>(found->second.size())) {
        for (const replay::TraceRequest* request : found->second) {
          add_silent_instance(*request);
        }
      }
    }
  }

  void add_silent_instance(const replay::TraceRequest& request) {
    Violation& violation = ledger_.add({ledger_.function_of(request), Rule::type_not_visited, 0, 0},
                                       request.container);
    violation.message =
        violation.type_count == 1
            ? fmt::format("instances of the heap type '{}' own a reference to it and do not visit "
                          "it: the type never becomes garbage",
                          violation.type)
            : fmt::format(
                  "instances of {} heap types ('{}'{}) own a reference to their type and do "
                  "not visit it: the types never become garbage",
                  violation.type_count, violation.type, violation.types.size() > 1 ? ", ..." : "");
  }

  void add_duplicate(const DuplicateSlot& duplicate) {
    const Address container = duplicate.containers.front().address;
    // Of two functions that visit for one container the extension's is the one that is wrong.
    const Address own = traverse_function(input_.reader, container, duplicate.object);
    const Address base = explainer_.extension_of(own).empty()
                             ? extension_traverse(input_.reader, input_.image, container)
                             : Address{0};
    if (!ledger_.has(own)) {
      return;
    }
    const Address function = base != 0 ? base : own;
    ledger_.enter(function, container);
    Violation& violation =
        ledger_.add({function, Rule::duplicate_visit, 0, duplicate.slot.at - container}, container);
    if (violation.message.empty()) {
      ledger_.set_slot(violation, duplicate.slot);
      const std::string summary = explainer_.object(duplicate.object).summary;
      violation.message =
          duplicate.containers.size() > 1 ? fmt::format("{} containers visit one slot, for {}",
                                                        duplicate.containers.size(), summary)
          : base != 0
              ? fmt::format("visits a slot that {} visits, too, for {}",
                            explainer_.function_name(own), summary)
              : fmt::format("visits one slot {} times, for {}", duplicate.visits(), summary);
    }
  }

  void add_unvisited(const UnvisitedField& field) {
    const Address function = input_.reader.type(field.type).traverse;
    if (!ledger_.has(function)) {
      return;
    }
    Violation& violation =
        ledger_.add({function, Rule::field_not_visited, 0, field.offset, false}, field.container);
    violation.instances =
        violation.message.empty() ? field.instances : violation.instances + field.instances - 1;
    if (!violation.message.empty()) {
      return;
    }
    ledger_.set_slot(violation, {field.container + field.offset});
    violation.message = fmt::format(
        "does not visit the field {} of '{}', which refers to {}: {}",
        violation.slot_name.starts_with('+') ? fmt::format("at +{:#x}", field.offset)
                                             : violation.slot_name,
        violation.type, explainer_.object(field.object).summary,
        field.words_fit
            ? "each word of memory with that address is a reference, unless one was leaked"
            : "it looks counted, but copies of the address elsewhere leave a doubt");
  }

  void tell_incomplete() {
    report_.incomplete_because = incidents_.incomplete_because();
    if (input_.heap.unreadable > 0 || !input_.heap.corruptions.empty()) {
      report_.incomplete_because.emplace_back(
          "the heap is damaged or not all there; pygc check says where");
    }
    if (input_.truncated) {
      report_.incomplete_because.emplace_back("the core file is truncated");
    }
    if (!runtime_.layout.ht_module) {
      report_.notes.emplace_back("before 3.9 instances of heap types do not visit their type");
    }
  }

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  Explainer explainer_;
  Ownership ownership_;
  AuditLedger ledger_;
  IncidentAudit incidents_;
  AuditReport report_;
};

} // namespace

Result<AuditReport> audit(const CheckInput& input) {
  return Auditor(input).run();
}

Counts count_violations(const AuditReport& report) {
  Counts counts;
  for (const AuditedFunction& function : report.functions) {
    for (const Violation& violation : function.violations) {
      counts[fmt::format("{}: {}{}{} ({})", function.name, rule_name(violation.rule),
                         violation.slot_name.empty() ? "" : " ", violation.slot_name,
                         violation.proven ? "proven" : "likely")] = 1;
    }
  }
  return counts;
}

} // namespace pygc::analysis
