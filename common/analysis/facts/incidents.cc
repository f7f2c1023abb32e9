#include "common/analysis/facts/incidents.h"

#include "common/analysis/facts/traverse_function.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t incident_limit = 1000; // incidents grouped

} // namespace

IncidentSummary summarize_incidents(const CheckInput& input, const heap::CollectedSet& set,
                                    std::span<const replay::Incident> incidents) {
  IncidentSummary summary;
  std::map<std::tuple<replay::Outcome, Address, Address>, IncidentGroup> groups;
  for (const replay::Incident& incident :
       incidents.first(std::min(incidents.size(), incident_limit))) {
    if (incident.outcome == replay::Outcome::unsupported_instruction) {
      ++summary.unsupported[incident.pc];
      continue;
    }
    const Address container = set.objects[heap::SetIndex(incident.container)];
    const Address function = traverse_function(input.reader, container, 0);
    auto [found, fresh] = groups.try_emplace({incident.outcome, function, incident.pc});
    if (!fresh) {
      ++found->second.count;
      continue;
    }
    found->second = {.function = function,
                     .container = container,
                     .first = incident,
                     .missing_memory = missing_memory(input.image, incident.address)};
    if (incident.outcome == replay::Outcome::syscall ||
        incident.outcome == replay::Outcome::timeout) { // `address` is nothing that it accessed
      found->second.missing_memory.reset();
    }
  }
  for (auto& [key, group] : groups) {
    summary.groups.push_back(std::move(group));
  }
  summary.further = incidents.size() - std::min(incidents.size(), incident_limit);
  return summary;
}

std::optional<std::string> missing_memory(const image::ProcessImage& image, Address address) {
  const image::Region* region = image.memory().find(address);
  if (region == nullptr || region->source != image::Source::missing) {
    return std::nullopt;
  }
  return region->why_missing;
}

std::string describe_incident(const replay::Incident& incident, std::string_view place) {
  switch (incident.outcome) {
  case replay::Outcome::syscall:
    return fmt::format("makes system call {} in {}", incident.number, place);
  case replay::Outcome::timeout:
    return fmt::format("does not end; it was stopped in {}", place);
  case replay::Outcome::illegal_instruction:
  case replay::Outcome::trap:
    return fmt::format("ends in an illegal instruction or trap in {}", place);
  default: // also a write to memory that must not be written
    return fmt::format("faults in {}, accessing {:#x}", place, incident.address);
  }
}

std::string describe_write(Address address, std::string_view place) {
  return fmt::format("writes to memory at {:#x}, in {}", address, place);
}

std::string describe_count_change(std::string_view object, Address address,
                                  std::string_view place) {
  return fmt::format("changes the reference count of {} at {:#x}, in {}", object, address, place);
}

} // namespace pygc::analysis
