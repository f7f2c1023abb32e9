#include "common/analysis/audit/audit_incidents.h"

#include "common/analysis/facts/incidents.h"
#include "common/analysis/facts/lasting_writes.h"

#include <array>
#include <fmt/format.h>
#include <unordered_set>

namespace pygc::analysis {
namespace {

/// Of the C library and of CPython (Include/pymem.h, objimpl.h): a traverse function must not.
constexpr std::array allocators_by_name{"malloc",          "calloc",          "realloc",
                                        "PyMem_RawMalloc", "PyMem_Malloc",    "PyObject_Malloc",
                                        "_PyObject_New",   "_PyObject_GC_New"};

} // namespace

IncidentAudit::IncidentAudit(const CheckInput& input, Explainer& explainer, AuditLedger& ledger)
    : input_(input), explainer_(explainer), ledger_(ledger) {
  for (const char* name : allocators_by_name) {
    for (const auto& module : input.image.modules()) {
      const auto symbol = module->find_symbol(name);
      if (symbol && symbol->function && allocators_.size() < replay::max_watched_functions) {
        allocators_.emplace(symbol->address, name);
      }
    }
  }
}

std::vector<Address> IncidentAudit::allocators() const {
  std::vector<Address> addresses;
  addresses.reserve(allocators_.size());
  for (const auto& [address, name] : allocators_) {
    addresses.push_back(address);
  }
  return addresses;
}

void IncidentAudit::examine(const SlotSurvey& survey) {
  std::unordered_set<std::uint32_t> allocating;
  for (const replay::Incident& incident : survey.incidents) {
    if (incident.outcome == replay::Outcome::call) {
      allocating.insert(incident.container);
    }
  }
  for (const replay::Incident& incident : survey.incidents) {
    if (incident.container >= survey.requests.size() ||
        ledger_.is_m_traverse_elsewhere(
            survey.requests[replay::RequestIndex(incident.container)])) {
      continue;
    }
    examine(survey.requests[replay::RequestIndex(incident.container)], incident,
            allocating.contains(incident.container));
  }
}

void IncidentAudit::examine(const replay::TraceRequest& request, const replay::Incident& incident,
                            bool allocating) {
  const Address function = ledger_.function_of(request);
  const auto fresh = [&](Rule rule, Address what) -> Violation* {
    Violation& violation = ledger_.add({function, rule, what, 0}, request.container);
    violation.pc = violation.pc.value_or(incident.pc);
    return violation.message.empty() ? &violation : nullptr;
  };
  const std::string at = input_.image.describe_code(place_of(incident));
  switch (incident.outcome) {
  case replay::Outcome::completed:
  case replay::Outcome::undone_write:
    return;
  case replay::Outcome::call:
    if (Violation* violation = fresh(Rule::allocates, incident.address)) {
      violation->message = fmt::format("calls {}, from {}", allocators_.at(incident.address), at);
    }
    return;
  case replay::Outcome::write:
    add_write(request, incident, allocating);
    return;
  case replay::Outcome::syscall:
    if (Violation* violation = fresh(Rule::system_call, incident.pc)) {
      violation->message = describe_incident(incident, at);
    }
    return;
  case replay::Outcome::timeout:
    if (Violation* violation = fresh(Rule::timeout, 0)) {
      violation->message = describe_incident(incident, at);
    }
    return;
  case replay::Outcome::unsupported_instruction:
    ++unsupported_[incident.pc];
    return;
  case replay::Outcome::assertion:
    if (Violation* violation = fresh(Rule::faults, incident.pc)) {
      violation->message = describe_incident(
          incident, at,
          cpython::read_fatal_call(input_.image, incident.address, incident.arguments));
    }
    return;
  case replay::Outcome::skipped:
    ++skipped_;
    return;
  case replay::Outcome::not_run:
  case replay::Outcome::fault:
  case replay::Outcome::illegal_instruction:
  case replay::Outcome::trap:
    break;
  }
  if (missing_memory(input_.image, incident.address)) {
    ++missing_;
  } else if (Violation* violation = fresh(Rule::faults, incident.pc)) {
    violation->message = describe_incident(incident, at);
  }
}

void IncidentAudit::add_write(const replay::TraceRequest& request, const replay::Incident& incident,
                              bool allocating) {
  const Address function = ledger_.function_of(request);
  const image::Module* writer = input_.image.module_at(incident.pc);
  // What the allocator writes is told as an allocation.
  const bool of_allocator = allocating && writer != input_.image.module_at(function);
  if (is_dynamic_linker(input_.image, incident.pc) || of_allocator) {
    return;
  }
  const Address counted = counted_object(input_, incident);
  Violation& violation =
      ledger_.add({function, counted != 0 ? Rule::refcount_change : Rule::writes, incident.pc, 0},
                  request.container);
  if (!violation.message.empty()) {
    return;
  }
  violation.pc = incident.pc;
  const std::string at = input_.image.describe_code(incident.pc);
  violation.message = counted != 0
                          ? describe_count_change(explainer_.object(counted).summary, counted, at)
                          : describe_write(incident.address, at);
}

std::vector<std::string> IncidentAudit::incomplete_because() const {
  std::vector<std::string> reasons;
  reasons.reserve(unsupported_.size() + 2);
  for (const auto& [pc, count] : unsupported_) {
    reasons.push_back(
        fmt::format("{} traversals need an instruction that the emulator lacks, in {}", count,
                    input_.image.describe_code(pc)));
  }
  if (skipped_ > 0) {
    reasons.push_back(
        fmt::format("{} traversals were not run: others of their function do not end", skipped_));
  }
  if (missing_ > 0) {
    reasons.push_back(fmt::format("{} traversals need memory that is not to be had", missing_));
  }
  return reasons;
}

} // namespace pygc::analysis
