#include "common/analysis/audit.h"

#include "common/analysis/collected_set.h"
#include "common/analysis/duplicate_visits.h"
#include "common/analysis/explain.h"
#include "common/analysis/ownership.h"
#include "common/analysis/slot_survey.h"
#include "common/analysis/trace_plan.h"
#include "common/analysis/traverse_effects.h"
#include "common/analysis/unvisited_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>
#include <tuple>

namespace pygc::analysis {
namespace {

/// Of the C library and of CPython (Include/pymem.h, objimpl.h): a traverse function must not.
constexpr std::array allocators{"malloc",          "calloc",          "realloc",
                                "PyMem_RawMalloc", "PyMem_Malloc",    "PyObject_Malloc",
                                "_PyObject_New",   "_PyObject_GC_New"};

constexpr std::size_t path_limit = 4096;

/// One kind of violation by one function: those of several instances are one.
struct Key {
  Address function = 0;
  Rule rule = Rule::writes;
  Address what = 0; // tells violations of one rule apart: a type, a slot, an instruction
  std::uint64_t offset = 0;
  auto operator<=>(const Key&) const = default;
};

class Auditor {
public:
  explicit Auditor(const CheckInput& input)
      : input_(input), runtime_(input.reader.runtime()),
        explainer_(input.image, input.reader, input.heap), ownership_(input.image, input.reader),
        stale_(stale_collecting(input.heap)) {
    for (const char* name : allocators) {
      for (const auto& module : input.image.modules()) {
        const auto symbol = module->find_symbol(name);
        if (symbol && symbol->function && watched_.size() < replay::max_watched_functions) {
          watched_.emplace(symbol->address, name);
        }
      }
    }
  }

  Result<AuditReport> run() {
    for (std::size_t i = 0; i < runtime_.interpreters.size(); ++i) {
      if (auto examined = examine(i); !examined) {
        return std::unexpected(examined.error());
      }
    }
    tell_incomplete();
    for (auto& [key, violation] : violations_) {
      functions_.at(key.function).violations.push_back(std::move(violation));
    }
    for (auto& [address, function] : functions_) {
      std::ranges::stable_sort(function.violations, {},
                               [](const Violation& violation) { return !violation.proven; });
      report_.functions.push_back(std::move(function));
    }
    std::ranges::sort(report_.functions, {}, [](const AuditedFunction& function) {
      return std::tie(function.library, function.name, function.address);
    });
    return std::move(report_);
  }

private:
  Result<void> examine(std::size_t interpreter) {
    const CollectedSet set = collect_generations(runtime_, input_.heap, interpreter, SIZE_MAX);
    if (set.objects.empty()) {
      return {};
    }
    const auto result = input_.replayer.run({.objects = set.objects,
                                             .refcounts = set.refcounts,
                                             .watched = {},
                                             .clear_collecting = stale_});
    if (!result) {
      return std::unexpected(result.error());
    }
    auto survey = survey_slots(*input_.tracer, ownership_, requests(set), watched_addresses());
    if (!survey) {
      return std::unexpected(survey.error());
    }
    report_.traced += survey->requests.size();
    name_libraries(*survey);
    name_functions(*survey);
    examine_visits(*survey);
    examine_types(*survey, set, *result);
    examine_incidents(*survey);
    for (const DuplicateSlot& duplicate : find_duplicate_slots(*survey)) {
      add_duplicate(duplicate);
    }
    const auto fields = find_unvisited_fields(input_, set, *result, *survey, ownership_);
    if (!fields) {
      return std::unexpected(fields.error());
    }
    for (const UnvisitedField& field : *fields) {
      add_unvisited(field);
    }
    return {};
  }

  /// tp_traverse of a sample, and each m_traverse for itself.
  std::vector<replay::TraceRequest> requests(const CollectedSet& set) {
    std::vector<replay::TraceRequest> planned = plan_traces(input_, set, {});
    const std::size_t count = planned.size();
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

  std::vector<Address> watched_addresses() const {
    std::vector<Address> addresses;
    addresses.reserve(watched_.size());
    for (const auto& [address, name] : watched_) {
      addresses.push_back(address);
    }
    return addresses;
  }

  Address function_of(const replay::TraceRequest& request) {
    if (request.function != 0) {
      return request.function;
    }
    const auto type = input_.reader.type_address(request.container);
    return type ? input_.reader.type(*type).traverse : 0;
  }

  /// Which extension module lies in which file, as the modules' __file__ says.
  void name_libraries(const SlotSurvey& survey) {
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

  void name_functions(const SlotSurvey& survey) {
    for (const replay::TraceRequest& request : survey.requests) {
      const Address address = function_of(request);
      auto [found, fresh] = functions_.try_emplace(address);
      AuditedFunction& function = found->second;
      if (fresh) {
        function.address = address;
        function.name = explainer_.function_name(address);
        function.of_module = request.function != 0;
        const image::Module* module = input_.image.module_at(address);
        function.library = module == nullptr ? "" : module->path();
        const auto named = modules_.find(function.library);
        function.module = named == modules_.end() ? "" : named->second;
      }
      ++function.instances;
      const auto type = input_.reader.type_address(request.container);
      if (function.of_module || (type && named_types_.insert({address, *type}).second)) {
        const ObjectView view = explainer_.object(request.container);
        function.types.push_back(function.of_module ? view.summary : view.type);
      }
    }
  }

  /// The violation, counted once more.
  Violation& add(const Key& key, Address container) {
    auto [found, fresh] = violations_.try_emplace(key);
    Violation& violation = found->second;
    if (fresh) {
      violation.rule = key.rule;
      violation.object = explainer_.object(container);
      violation.type = violation.object.type;
    } else {
      ++violation.instances;
    }
    return violation;
  }

  void set_slot(Violation& violation, Address slot) {
    violation.slot = slot;
    violation.slot_name = ownership_.slot_name(violation.object.address, slot);
    violation.owner = owner_name(ownership_.owner(violation.object.address, slot));
  }

  /// module_traverse calls m_traverse: what comes from there is m_traverse's.
  bool is_m_traverse_elsewhere(const replay::TraceRequest& request) {
    if (request.function != 0 || !input_.reader.is_module(request.container)) {
      return false;
    }
    const auto module = input_.reader.module(request.container);
    return module && module->traverses();
  }

  void examine_visits(const SlotSurvey& survey) {
    for (const SlotVisit& visit : survey.visits) {
      const replay::TraceRequest& request = survey.requests[visit.request];
      if (!visit.counted || !Ownership::is_foreign(visit.owner) ||
          is_m_traverse_elsewhere(request)) {
        continue;
      }
      Violation& violation =
          add({function_of(request), Rule::unowned_visit, visit.slot, 0}, request.container);
      if (violation.message.empty()) {
        set_slot(violation, visit.slot);
        const auto module = request.function == 0 ? Result<cpython::ModuleInfo>{}
                                                  : input_.reader.module(request.container);
        // A single-phase module with global state is right as long as it is the only instance.
        violation.proven =
            !(module && request.function != 0 && module->state_size < 0 && module->slots == 0);
        violation.message = fmt::format(
            "visits {} through {}, which belongs to the {}",
            explainer_.object(visit.object).summary,
            violation.slot_name.empty() ? fmt::format("{:#x}", visit.slot) : violation.slot_name,
            violation.owner == "static" ? "library's static storage" : violation.owner);
      }
    }
  }

  /// Since 3.9 instances of heap types visit their type (they own a reference to it since 3.8).
  void examine_types(const SlotSurvey& survey, const CollectedSet& set,
                     const replay::RoundResult& result) {
    if (!runtime_.layout.ht_module) { // PyHeapTypeObject.ht_module is as old as the rule
      return;
    }
    std::map<Address, std::vector<const replay::TraceRequest*>> silent; // by type
    const auto broken = survey.not_completed();
    auto visit = survey.visits.begin();
    for (std::uint32_t i = 0; i < survey.requests.size(); ++i) {
      const replay::TraceRequest& request = survey.requests[i];
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
    for (std::size_t i = 0; i < set.objects.size(); ++i) {
      // References that no visit accounts for: each silent instance owns one of them, or none does.
      const auto found = silent.find(set.objects[i]);
      if (found != silent.end() &&
          result.gc_refs[i] >= static_cast<std::int64_t>(found->second.size())) {
        for (const replay::TraceRequest* request : found->second) {
          add_silent_instance(*request, found->first);
        }
      }
    }
  }

  void add_silent_instance(const replay::TraceRequest& request, Address type) {
    Violation& violation =
        add({function_of(request), Rule::type_not_visited, type, 0}, request.container);
    if (violation.message.empty()) {
      violation.message = fmt::format(
          "instances of the heap type '{}' own a reference to it and do not visit it: the type "
          "never becomes garbage",
          violation.type);
    }
  }

  void examine_incidents(const SlotSurvey& survey) {
    std::set<std::uint32_t> allocating;
    for (const replay::Incident& incident : survey.incidents) {
      if (incident.outcome == replay::Outcome::call) {
        allocating.insert(incident.container);
      }
    }
    for (const replay::Incident& incident : survey.incidents) {
      if (incident.container >= survey.requests.size() ||
          is_m_traverse_elsewhere(survey.requests[incident.container])) {
        continue;
      }
      examine_incident(survey.requests[incident.container], incident,
                       allocating.contains(incident.container));
    }
  }

  void examine_incident(const replay::TraceRequest& request, const replay::Incident& incident,
                        bool allocating) {
    const Address function = function_of(request);
    const auto fresh = [&](Rule rule, Address what) -> Violation* {
      Violation& violation = add({function, rule, what, 0}, request.container);
      violation.pc = violation.pc.value_or(incident.pc);
      return violation.message.empty() ? &violation : nullptr;
    };
    const std::string at = input_.image.describe_code(incident.pc);
    switch (incident.outcome) {
    case replay::Outcome::completed:
      return;
    case replay::Outcome::call:
      if (Violation* violation = fresh(Rule::allocates, incident.address)) {
        violation->message = fmt::format("calls {}, from {}", watched_[incident.address], at);
      }
      return;
    case replay::Outcome::write:
      add_write(request, incident, allocating);
      return;
    case replay::Outcome::syscall:
      if (Violation* violation = fresh(Rule::system_call, incident.pc)) {
        violation->message = fmt::format("makes system call {} in {}", incident.number, at);
      }
      return;
    case replay::Outcome::timeout:
      if (Violation* violation = fresh(Rule::timeout, 0)) {
        violation->message = fmt::format("does not end; stopped in {}", at);
      }
      return;
    case replay::Outcome::unsupported_instruction:
      ++unsupported_[incident.pc];
      return;
    case replay::Outcome::not_run:
    case replay::Outcome::fault:
    case replay::Outcome::illegal_instruction:
    case replay::Outcome::trap:
      break;
    }
    const image::Region* region = input_.image.memory().find(incident.address);
    if (region != nullptr && region->source == image::Source::missing) {
      ++missing_;
    } else if (Violation* violation = fresh(Rule::faults, incident.pc)) {
      violation->message = fmt::format("faults in {}, accessing {:#x}", at, incident.address);
    }
  }

  void add_write(const replay::TraceRequest& request, const replay::Incident& incident,
                 bool allocating) {
    const Address function = function_of(request);
    const image::Module* writer = input_.image.module_at(incident.pc);
    // What the allocator writes is told as an allocation.
    const bool of_allocator = allocating && writer != input_.image.module_at(function);
    if (is_dynamic_linker(input_.image, incident.pc) || of_allocator) {
      return;
    }
    const Address counted = counted_object(input_, incident);
    Violation& violation =
        add({function, counted != 0 ? Rule::refcount_change : Rule::writes, incident.pc, 0},
            request.container);
    if (!violation.message.empty()) {
      return;
    }
    violation.pc = incident.pc;
    const std::string at = input_.image.describe_code(incident.pc);
    violation.message = counted != 0
                            ? fmt::format("changes the reference count of {} at {:#x}, in {}",
                                          explainer_.object(counted).summary, counted, at)
                            : fmt::format("writes to {:#x}, in {}", incident.address, at);
  }

  void add_duplicate(const DuplicateSlot& duplicate) {
    const Address container = duplicate.containers.front().address;
    const Address function = explainer_.traverse_function(container, duplicate.object);
    if (!functions_.contains(function)) {
      return;
    }
    const auto type = input_.reader.type_address(container);
    Violation& violation = add(
        {function, Rule::duplicate_visit, type.value_or(0), duplicate.slot - container}, container);
    if (violation.message.empty()) {
      set_slot(violation, duplicate.slot);
      violation.message =
          duplicate.containers.size() == 1
              ? fmt::format("visits one slot {} times, for {}", duplicate.visits(),
                            explainer_.object(duplicate.object).summary)
              : fmt::format("{} containers visit one slot, for {}", duplicate.containers.size(),
                            explainer_.object(duplicate.object).summary);
    }
  }

  void add_unvisited(const UnvisitedField& field) {
    const Address function = input_.reader.type(field.type).traverse;
    if (!functions_.contains(function)) {
      return;
    }
    Violation& violation =
        add({function, Rule::field_not_visited, field.type, field.offset}, field.container);
    violation.instances = field.instances;
    violation.proven = field.proven;
    set_slot(violation, field.container + field.offset);
    violation.message = fmt::format(
        "does not visit the field at +{:#x} of '{}', which refers to {}: {}", field.offset,
        violation.type, explainer_.object(field.object).summary,
        field.proven ? "each word of memory with that address is a reference, this one too"
                     : "it looks counted, but copies of the address elsewhere leave a doubt");
  }

  void tell_incomplete() {
    for (const auto& [pc, count] : unsupported_) {
      report_.incomplete_because.push_back(
          fmt::format("{} traversals need an instruction that the emulator lacks, in {}", count,
                      input_.image.describe_code(pc)));
    }
    if (missing_ > 0) {
      report_.incomplete_because.push_back(
          fmt::format("{} traversals need memory that is not to be had", missing_));
    }
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
  std::vector<Address> stale_;
  std::map<Address, std::string> watched_;     // allocators, by address
  std::map<std::string, std::string> modules_; // by file
  std::map<Address, AuditedFunction> functions_;
  std::set<std::pair<Address, Address>> named_types_; // (function, type)
  std::map<Key, Violation> violations_;
  std::map<Address, std::uint64_t> unsupported_; // by pc
  std::uint64_t missing_ = 0;
  AuditReport report_;
};

} // namespace

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

Result<AuditReport> audit(const CheckInput& input) {
  return Auditor(input).run();
}

} // namespace pygc::analysis
