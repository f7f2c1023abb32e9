#include "common/analysis/audit/audit_ledger.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace pygc::analysis {
namespace {

constexpr std::size_t path_limit = 4096;

} // namespace

Address AuditLedger::function_of(const replay::TraceRequest& request) {
  if (request.function != 0) {
    return request.function;
  }
  const auto type = input_.reader.type_address(request.container);
  return type ? input_.reader.type(*type).traverse : 0;
}

/// Which extension module lies in which file, as the modules' __file__ says.
void AuditLedger::name_modules(const SlotSurvey& survey) {
  for (const replay::TraceRequest& request : survey.requests) {
    if (request.function != 0 || !input_.reader.is_module(request.container)) {
      continue;
    }
    const auto module = input_.reader.module(request.container);
    const auto file = module ? input_.reader.item(module->dict, "__file__") : Result<Address>(0);
    if (module && module->definition != 0 && file && *file != 0) {
      modules_.try_emplace(input_.reader.text(*file, path_limit).value_or(""), module->name);
    }
  }
}

AuditedFunction& AuditLedger::function_at(Address address) {
  auto [found, fresh] = functions_.try_emplace(address);
  AuditedFunction& function = found->second;
  if (fresh) {
    function.address = address;
    function.name = explainer_.function_name(address);
    const image::Module* module = input_.image.module_at(address);
    function.library = module == nullptr ? "" : module->path();
    const auto named = modules_.find(function.library);
    function.module = named == modules_.end() ? "" : named->second;
  }
  return function;
}

void AuditLedger::enter(Address function, Address container) {
  AuditedFunction& entered = function_at(function);
  const auto type = input_.reader.type_address(container);
  if (type && named_types_.insert({function, *type}).second) {
    entered.types.push_back(explainer_.object(container).type);
  }
}

void AuditLedger::enter(const SlotSurvey& survey) {
  name_modules(survey);
  for (const replay::TraceRequest& request : survey.requests) {
    const Address address = function_of(request);
    AuditedFunction& function = function_at(address);
    function.of_module = function.of_module || request.function != 0;
    ++function.instances;
    const auto type = input_.reader.type_address(request.container);
    if (function.of_module || (type && named_types_.insert({address, *type}).second)) {
      const ObjectView view = explainer_.object(request.container);
      function.types.push_back(function.of_module ? view.summary : view.type);
    }
  }
}

bool AuditLedger::is_m_traverse_elsewhere(const replay::TraceRequest& request) {
  if (request.function != 0 || !input_.reader.is_module(request.container)) {
    return false;
  }
  const auto module = input_.reader.module(request.container);
  return module && module->traverses();
}

Violation& AuditLedger::add(const ViolationKey& key, Address container) {
  auto [found, fresh] = violations_.try_emplace(key);
  Violation& violation = found->second;
  if (fresh) {
    violation.rule = key.rule;
    violation.proven = key.proven;
    violation.object = explainer_.object(container);
    violation.type = violation.object.type;
    violation.type_count = 0;
    violation.next = {fmt::format("pygc object {:#x}", container),
                      fmt::format("pygc refs --from {:#x}", container)};
  } else {
    ++violation.instances;
  }
  add_type(key, violation, container);
  return violation;
}

void AuditLedger::add_type(const ViolationKey& key, Violation& violation, Address container) {
  const auto type = input_.reader.type_address(container);
  if (!type || !concerned_types_.insert({key, *type}).second) {
    return;
  }
  ++violation.type_count;
  const std::string name = explainer_.object(container).type;
  if (std::ranges::find(violation.types, name) == violation.types.end()) {
    violation.types.push_back(name);
  }
}

void AuditLedger::set_slot(Violation& violation, SlotAddress slot) {
  violation.slot = slot;
  violation.slot_name = slot_names_.name(violation.object.address, slot);
  violation.owner = ownership_.owner(violation.object.address, slot);
}

std::vector<AuditedFunction> AuditLedger::finish() {
  for (auto& [key, violation] : violations_) {
    functions_.at(key.function).violations.push_back(std::move(violation));
  }
  std::vector<AuditedFunction> functions;
  functions.reserve(functions_.size());
  for (auto& [address, function] : functions_) {
    std::ranges::stable_sort(function.violations, {},
                             [](const Violation& violation) { return !violation.proven; });
    functions.push_back(std::move(function));
  }
  std::ranges::sort(functions, {}, [](const AuditedFunction& function) {
    return std::tie(function.library, function.name, function.address);
  });
  return functions;
}

std::string_view rule_name(Rule rule) {
  switch (rule) {
  case Rule::type_not_visited:
    return "type_not_visited";
  case Rule::field_not_visited:
    return "field_not_visited";
  case Rule::unowned_visit:
    return "unowned_visit";
  case Rule::duplicate_visit:
    return "duplicate_visit";
  case Rule::writes:
    return "writes";
  case Rule::refcount_change:
    return "refcount_change";
  case Rule::allocates:
    return "allocates";
  case Rule::faults:
    return "faults";
  case Rule::system_call:
    return "system_call";
  case Rule::timeout:
    return "timeout";
  }
  return "writes";
}

} // namespace pygc::analysis
