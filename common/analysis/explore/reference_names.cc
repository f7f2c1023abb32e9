#include "common/analysis/explore/reference_names.h"

#include "common/cpython/objects/attributes.h"
#include "common/cpython/objects/frames_in_objects.h"

#include <set>

namespace pygc::analysis {

Result<void> ReferenceNames::trace(const TracerSource& tracer,
                                   std::span<const Reference> references,
                                   std::vector<std::string>& notes) {
  std::set<Address> containers;
  for (const Reference& reference : references) {
    if (containers.size() < max_traced && name_by_type(reference).empty()) {
      containers.insert(reference.from);
    }
  }
  std::vector<replay::TraceRequest> requests;
  requests.reserve(containers.size());
  for (const Address container : containers) {
    requests.push_back({.container = container});
  }
  if (requests.empty()) {
    return {};
  }
  const auto engine = tracer();
  const auto trace =
      engine ? (*engine)->trace(requests) : Result<replay::Trace>(std::unexpected(engine.error()));
  if (!trace && trace.error().kind == ErrorKind::cancelled) {
    return std::unexpected(trace.error());
  }
  if (!trace) {
    notes.push_back("slots are not traced: " + trace.error().reason);
    return {};
  }
  for (const replay::TracedVisit& visit : trace->visits) {
    if (visit.slot.is_known()) {
      slots_.try_emplace({requests[visit.request].container, visit.object}, visit.slot);
    }
  }
  return {};
}

std::string ReferenceNames::name_by_type(const Reference& reference) {
  const auto type_at = reader_.type_address(reference.from);
  if (type_at && *type_at == reference.to) {
    return "its type";
  }
  std::string name = slot_names_.item_name(reference.from, reference.to);
  if (name.empty()) {
    // What could be read until an error is as good.
    [[maybe_unused]] const auto read =
        cpython::each_inline_value(reader_, reference.from, [&](const cpython::DictEntry& entry) {
          if (entry.value == reference.to) {
            name = "." + reader_.text(entry.key).value_or("?");
          }
          return name.empty();
        });
  }
  if (name.empty()) {
    if (const auto variable = cpython::variable_that_holds(reader_, reference.from, reference.to)) {
      name = slot_names_.variable(*variable);
    }
  }
  return name;
}

ReferenceName ReferenceNames::name(const Reference& reference) {
  ReferenceName name{.text = name_by_type(reference), .slot = {}};
  const auto traced = slots_.find({reference.from, reference.to});
  if (traced != slots_.end()) {
    name.slot = traced->second;
    if (name.text.empty()) {
      name.text = cpython::field_around_frame(reader_, reference.from, traced->second);
      name.text.insert(0, name.text.empty() ? "" : ".");
    }
    if (name.text.empty()) {
      name.text = slot_names_.name(reference.from, traced->second);
    }
  }
  return name;
}

} // namespace pygc::analysis
