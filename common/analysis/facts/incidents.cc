#include "common/analysis/facts/incidents.h"

#include "common/analysis/facts/traverse_function.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t incident_limit = 1000; // incidents grouped

constexpr Address stack_guard = 1 << 20; // a frame goes so far beyond the replayer's stack

/// The function whose traversal this is. To 3.8 module_traverse calls m_traverse of a module
/// without its state, too (Objects/moduleobject.c): where it ends tells.
Address function_of(const CheckInput& input, Address container, Address pc) {
  const Address function = traverse_function(input.reader, container, 0);
  if (!input.reader.is_module(container)) {
    return function;
  }
  const auto module = input.reader.module(container);
  if (!module || module->traverse == 0 || module->traverse == function) {
    return function;
  }
  const image::Module* image = input.image.module_at(pc);
  if (image == nullptr || image != input.image.module_at(module->traverse)) {
    return function;
  }
  const auto symbol = image->symbol_at(pc);
  const bool ends_there =
      image != input.reader.runtime().module || (symbol && symbol->address == module->traverse);
  return ends_there ? module->traverse : function;
}

bool calls_interpreter(const CheckInput& input, Address function, Address pc) {
  const image::Module* interpreter = input.reader.runtime().module;
  const image::Module* module = input.image.module_at(pc);
  if (module == nullptr || module != interpreter || input.image.module_at(function) == module) {
    return false;
  }
  const auto symbol = module->symbol_at(pc);
  return symbol && !symbol->name.starts_with("visit_"); // the collector's visitors
}

/// The replayers tell of the first object only, or of some.
void count_skipped(const CheckInput& input, const heap::CollectedSet& set,
                   std::span<const replay::Incident> incidents, IncidentSummary& summary) {
  std::map<Address, std::uint64_t> functions; // objects
  for (const replay::Incident& incident : incidents) {
    if (incident.outcome == replay::Outcome::skipped) {
      functions.try_emplace(incident.address, 0);
    }
  }
  if (functions.empty()) {
    return;
  }
  const auto function_at = [&](std::size_t i) {
    const Address type = input.heap.types[set.heap_index[heap::SetIndex(i)]];
    return functions.find(input.reader.type(type).traverse);
  };
  for (std::size_t i = 0; i < set.objects.size(); ++i) {
    if (const auto found = function_at(i); found != functions.end()) {
      ++found->second;
    }
  }
  for (const replay::Incident& incident : incidents) { // those of it that were run
    const auto found = function_at(incident.container);
    if (found != functions.end() && incident.outcome != replay::Outcome::skipped &&
        found->second > 0) {
      --found->second;
    }
  }
  for (const auto& [function, count] : functions) {
    summary.skipped.push_back({.function = function, .count = count});
  }
}

} // namespace

IncidentSummary summarize_incidents(const CheckInput& input, const heap::CollectedSet& set,
                                    std::span<const replay::Incident> incidents) {
  IncidentSummary summary;
  std::map<std::tuple<replay::Outcome, Address, Address>, IncidentGroup> groups;
  count_skipped(input, set, incidents, summary);
  for (const replay::Incident& incident :
       incidents.first(std::min(incidents.size(), incident_limit))) {
    if (incident.outcome == replay::Outcome::skipped) {
      continue;
    }
    if (incident.outcome == replay::Outcome::unsupported_instruction) {
      ++summary.unsupported[incident.pc];
      continue;
    }
    const Address container = set.objects[heap::SetIndex(incident.container)];
    const Address function = function_of(input, container, incident.pc);
    // Where in an endless loop a traversal is stopped is chance, and where in a recursion.
    const bool anywhere =
        incident.outcome == replay::Outcome::timeout || has_no_stack_left(incident);
    const Address place = anywhere ? 0 : incident.pc;
    auto [found, fresh] = groups.try_emplace({incident.outcome, function, place});
    if (!fresh) {
      ++found->second.count;
      continue;
    }
    found->second = {.function = function,
                     .container = container,
                     .first = incident,
                     .calls_interpreter = calls_interpreter(input, function, incident.pc),
                     .missing_memory = missing_memory(input.image, incident.address),
                     .fatal_call = {}};
    if (incident.outcome == replay::Outcome::fault && incident.number == SIGBUS) {
      found->second.missing_memory = "its file has become shorter since it was opened";
    }
    if (incident.outcome == replay::Outcome::assertion) {
      found->second.fatal_call =
          cpython::read_fatal_call(input.image, incident.address, incident.arguments);
    }
    if (incident.outcome == replay::Outcome::syscall ||
        incident.outcome == replay::Outcome::timeout ||
        incident.outcome == replay::Outcome::assertion) { // `address` is nothing that it accessed
      found->second.missing_memory.reset();
    }
  }
  for (auto& [key, group] : groups) {
    summary.groups.push_back(std::move(group));
  }
  summary.further = incidents.size() - std::min(incidents.size(), incident_limit);
  return summary;
}

bool has_no_stack_left(const replay::Incident& incident) {
  return incident.outcome == replay::Outcome::fault &&
         incident.address < replay::protocol::own_stack &&
         replay::protocol::own_stack - incident.address <= stack_guard;
}

std::optional<std::string> missing_memory(const image::ProcessImage& image, Address address) {
  const image::Region* region = image.memory().find(address);
  if (region == nullptr || region->source != image::Source::missing) {
    return std::nullopt;
  }
  return region->why_missing;
}

Address place_of(const replay::Incident& incident) {
  return incident.outcome == replay::Outcome::assertion && incident.pc != 0 ? incident.pc - 1
                                                                            : incident.pc;
}

std::string describe_incident(const replay::Incident& incident, std::string_view place,
                              const std::optional<cpython::FatalCall>& fatal_call) {
  switch (incident.outcome) {
  case replay::Outcome::assertion:
    return fmt::format("ends in {}, in {}",
                       fatal_call ? cpython::describe(*fatal_call) : "a fatal error", place);
  case replay::Outcome::syscall:
    return fmt::format("makes system call {} in {}", incident.number, place);
  case replay::Outcome::timeout:
    return fmt::format("does not end; it was stopped in {}", place);
  case replay::Outcome::illegal_instruction:
  case replay::Outcome::trap:
    return fmt::format("ends in an illegal instruction or trap in {}", place);
  default: // also a write to memory that must not be written
    if (incident.outcome == replay::Outcome::fault && incident.pc == 0) {
      return "calls a pointer that is NULL";
    }
    if (has_no_stack_left(incident)) {
      return fmt::format("has no stack left in {}: it calls itself without end, or very deep",
                         place);
    }
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
