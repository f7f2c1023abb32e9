#include "common/analysis/explore/heap_census.h"

#include "common/analysis/explore/type_matcher.h"
#include "common/cpython/objects/object_names.h"
#include "common/cpython/objects/sys_modules.h"
#include "common/cpython/objects/type_module.h"

#include <algorithm>
#include <unordered_map>

namespace pygc::analysis {

HeapCensus take_census(cpython::ObjectReader& reader, const heap::Heap& heap,
                       const std::string& pattern) {
  HeapCensus census;
  cpython::ObjectSizes sizes(reader);
  cpython::ObjectNames names(reader);
  TypeMatcher is_asked_for(reader, {pattern});
  std::unordered_map<Address, std::uint32_t> by_type;
  std::unordered_map<std::string, std::uint32_t> by_name;
  census.objects.reserve(heap.objects.size());
  for (std::size_t i = 0; i < heap.objects.size(); ++i) {
    const heap::HeapIndex at(i);
    if (!heap.usable[at]) {
      continue;
    }
    const auto [known, added] = by_type.try_emplace(heap.types[at], 0);
    if (added) {
      const std::string name = cpython::full_name_of_type(reader, names, heap.types[at]);
      const auto number = static_cast<std::uint32_t>(census.types.size());
      known->second = by_name.try_emplace(name, number).first->second;
      if (known->second == number) {
        census.types.push_back({.name = name, .size = {}});
      }
      bool& asked_for = census.types[known->second].asked_for;
      asked_for = asked_for || (!pattern.empty() && is_asked_for(heap.types[at]));
    }
    const cpython::ObjectSize size = sizes.size(heap.objects[at], heap.types[at]);
    CensusType& type = census.types[known->second];
    ++type.objects;
    type.size += size;
    census.size += size;
    census.objects.push_back({.address = heap.objects[at], .type = known->second});
  }
  std::ranges::sort(census.objects, {}, &CensusObject::address);
  for (const cpython::Interpreter& interpreter : reader.runtime().interpreters) {
    census.places.push_back(interpreter.address);
    census.places.push_back(cpython::sys_modules(reader, interpreter).value_or(0));
  }
  return census;
}

} // namespace pygc::analysis
