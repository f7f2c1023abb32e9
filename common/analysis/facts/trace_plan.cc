#include "common/analysis/facts/trace_plan.h"

#include <unordered_map>
#include <unordered_set>

namespace pygc::analysis {
namespace {

constexpr std::size_t sample_size = 25; // instances of each type

} // namespace

std::vector<replay::TraceRequest> plan_traces(const CheckInput& input,
                                              const heap::CollectedSet& set,
                                              std::span<const Address> wanted) {
  std::vector<replay::TraceRequest> requests;
  std::unordered_set<Address> first(wanted.begin(), wanted.end());
  struct OfType {
    std::size_t traced = 0;
    bool module = false;
  };
  std::unordered_map<Address, OfType> types;
  const auto of_object = [&](std::size_t i) -> OfType& {
    const Address type = input.heap.types[set.heap_index[heap::SetIndex(i)]];
    const auto [found, fresh] = types.try_emplace(type);
    if (fresh) {
      found->second.module = input.reader.is_instance(type, "PyModule_Type");
    }
    return found->second;
  };
  for (std::size_t i = 0; i < set.objects.size(); ++i) {
    if (of_object(i).module) {
      first.insert(set.objects[heap::SetIndex(i)]);
      const auto module = input.reader.module(set.objects[heap::SetIndex(i)]);
      first.insert(module ? module->dict : 0);
    }
  }
  for (std::size_t i = 0; i < set.objects.size(); ++i) {
    OfType& of_type = of_object(i);
    if (input.deep || of_type.traced < sample_size ||
        first.contains(set.objects[heap::SetIndex(i)])) {
      ++of_type.traced;
      requests.push_back({set.objects[heap::SetIndex(i)], 0});
    }
  }
  return requests;
}

} // namespace pygc::analysis
