#include "common/analysis/facts/module_survey.h"

#include "common/analysis/facts/explain.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/reachability.h"
#include "common/analysis/facts/slot_names.h"
#include "common/cpython/objects/sys_modules.h"
#include "common/heap/collected_set.h"

#include <map>
#include <set>

namespace pygc::analysis {
namespace {

class Survey {
public:
  explicit Survey(const CheckInput& input)
      : input_(input), runtime_(input.reader.runtime()),
        explainer_(input.image, input.reader, input.heap), ownership_(input.image, input.reader),
        slot_names_(input.image, input.reader, ownership_) {}

  Result<std::vector<ModuleRow>> run() {
    for (const heap::SpaceRange& list : input_.heap.spaces) {
      for (std::size_t i = list.first; i < list.first + list.count; ++i) {
        if (const heap::HeapIndex index(i);
            input_.heap.usable[index] &&
            input_.reader.is_instance(input_.heap.types[index], "PyModule_Type")) {
          add(list, index);
        }
      }
    }
    count_instances();
    if (auto found = find_garbage(); !found) {
      return std::unexpected(found.error());
    }
    if (auto traced = trace(); !traced) {
      return std::unexpected(traced.error());
    }
    return std::move(rows_);
  }

private:
  void add(const heap::SpaceRange& list, heap::HeapIndex index) {
    const Address object = input_.heap.objects[index];
    const auto info = input_.reader.module(object);
    if (!info) {
      return;
    }
    ModuleRow row;
    row.info = *info;
    row.interpreter = runtime_.interpreters[list.interpreter].id;
    row.refcount = runtime_.refcount(input_.heap.refcounts[index]);
    if (row.info.traverse != 0) {
      row.traverse_name = explainer_.function_name(row.info.traverse);
    }
    if (const auto file = input_.reader.item(row.info.dict, "__file__"); file && *file != 0) {
      row.file = input_.reader.text(*file, 4096).value_or("");
    }
    row.in_sys_modules = in_sys_modules(list.interpreter, object);
    rows_.push_back(std::move(row));
  }

  bool in_sys_modules(std::size_t interpreter, Address object) {
    auto found = sys_modules_.find(interpreter);
    if (found == sys_modules_.end()) {
      found = sys_modules_.emplace(interpreter, std::set<Address>{}).first;
      const auto dict = cpython::sys_modules(input_.reader, runtime_.interpreters[interpreter]);
      if (dict && *dict != 0) {
        // A table that cannot be read leaves the set empty: "in sys.modules" is then false.
        static_cast<void>(input_.reader.each_item(*dict, [&](Address, Address value) {
          found->second.insert(value);
          return true;
        }));
      }
    }
    return found->second.contains(object);
  }

  void count_instances() {
    std::map<std::pair<std::int64_t, Address>, std::size_t> counts;
    for (const ModuleRow& row : rows_) {
      ++counts[{row.interpreter, row.info.definition}];
    }
    for (ModuleRow& row : rows_) {
      row.instances = row.info.definition == 0 ? 1 : counts[{row.interpreter, row.info.definition}];
    }
  }

  Result<void> find_garbage() {
    const auto stale = heap::stale_collecting(input_.heap);
    for (std::size_t i = 0; i < runtime_.interpreters.size(); ++i) {
      const heap::CollectedSet set = heap::collect_spaces(runtime_, input_.heap, i, SIZE_MAX);
      if (set.objects.empty()) {
        continue;
      }
      const auto result = input_.replayer.run({.objects = set.objects,
                                               .refcounts = set.refcounts,
                                               .watched = {},
                                               .clear_collecting = stale});
      if (!result) {
        return std::unexpected(result.error());
      }
      const auto reachable = find_reachable(input_.replayer, set, *result, stale);
      if (!reachable) {
        return std::unexpected(reachable.error());
      }
      std::map<Address, bool> by_object;
      for (std::size_t k = 0; k < set.objects.size(); ++k) {
        by_object.emplace(set.objects[heap::SetIndex(k)], (*reachable)[k]);
      }
      for (ModuleRow& row : rows_) {
        if (const auto found = by_object.find(row.info.address); found != by_object.end()) {
          row.reachable = found->second;
        }
      }
    }
    return {};
  }

  Result<void> trace() {
    if (input_.tracer == nullptr) {
      return {};
    }
    std::vector<replay::TraceRequest> requests;
    std::vector<ModuleRow*> of;
    for (ModuleRow& row : rows_) {
      if (row.info.traverses()) {
        requests.push_back({row.info.address, row.info.traverse});
        of.push_back(&row);
      }
    }
    const auto trace = input_.tracer->trace(requests);
    if (!trace) {
      return std::unexpected(trace.error());
    }
    for (const replay::TracedVisit& visit : trace->visits) {
      if (visit.request >= of.size()) {
        continue;
      }
      ModuleRow& row = *of[visit.request];
      row.visits.push_back({.object = visit.object,
                            .summary = explainer_.object(visit.object).summary,
                            .slot = visit.slot,
                            .slot_name = slot_names_.name(row.info.address, visit.slot),
                            .owner = ownership_.owner(row.info.address, visit.slot)});
    }
    return {};
  }

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  Explainer explainer_;
  Ownership ownership_;
  SlotNames slot_names_;
  std::vector<ModuleRow> rows_;
  std::map<std::size_t, std::set<Address>> sys_modules_;
};

} // namespace

Result<std::vector<ModuleRow>> survey_modules(const CheckInput& input) {
  return Survey(input).run();
}

std::size_t count_immortal_modules(cpython::ObjectReader& reader) {
  const cpython::Runtime& runtime = reader.runtime();
  if (!runtime.layout.free_threaded) {
    return 0;
  }
  std::set<Address> immortal;
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    const auto modules = cpython::sys_modules(reader, interpreter);
    if (!modules || *modules == 0) {
      continue;
    }
    // Of a dict that cannot be read to its end what came before counts.
    static_cast<void>(reader.each_item(*modules, [&](Address /*name*/, Address module) {
      const auto count = cpython::load_refcount(reader.memory(), runtime.layout, module);
      if (count && runtime.is_immortal(*count) && reader.is_module(module) &&
          !reader.is_tracked(module).value_or(true)) {
        immortal.insert(module);
      }
      return true;
    }));
  }
  return immortal.size();
}

} // namespace pygc::analysis
