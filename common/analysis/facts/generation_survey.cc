#include "common/analysis/facts/generation_survey.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

namespace pygc::analysis {
namespace {

std::vector<TypeCount> count_types(cpython::ObjectReader& reader, const heap::Heap& heap,
                                   const heap::SpaceRange& space, std::size_t top) {
  std::unordered_map<Address, std::uint64_t> by_type;
  for (std::size_t i = space.first; i < space.first + space.count; ++i) {
    ++by_type[heap.types[heap::HeapIndex(i)]];
  }
  std::vector<TypeCount> types;
  types.reserve(by_type.size());
  for (const auto& [type, count] : by_type) {
    types.push_back({reader.type(type).name, count});
  }
  sort_by_count(types);
  types.resize(std::min(types.size(), top));
  return types;
}

bool is_whole(const heap::Heap& heap, const heap::SpaceRange& space) {
  return std::ranges::none_of(heap.corruptions, [&](const heap::Corruption& corruption) {
    return corruption.interpreter == space.interpreter && corruption.space == space.space;
  });
}

} // namespace

void sort_by_count(std::vector<TypeCount>& types) {
  std::ranges::sort(types, [](const TypeCount& a, const TypeCount& b) {
    return a.objects != b.objects ? a.objects > b.objects : a.name < b.name;
  });
}

GenerationSurvey survey_generations(cpython::ObjectReader& reader, const heap::Heap& heap,
                                    std::size_t top) {
  GenerationSurvey survey;
  for (const cpython::Interpreter& interpreter : reader.runtime().interpreters) {
    survey.interpreters.push_back({.id = interpreter.id,
                                   .address = interpreter.address,
                                   .enabled = interpreter.enabled,
                                   .collecting = interpreter.collecting,
                                   .counts = interpreter.counts,
                                   .generations = {}});
  }
  for (const heap::SpaceRange& space : heap.spaces) {
    const auto& generation = reader.runtime().interpreters[space.interpreter].spaces[space.space];
    InterpreterRow& interpreter = survey.interpreters[space.interpreter];
    const bool whole = is_whole(heap, space);
    if (!whole) {
      survey.incomplete_because.push_back(
          fmt::format("list {} of interpreter {} is damaged, or memory of it is missing",
                      generation.name, interpreter.id));
    }
    interpreter.generations.push_back({.name = generation.name,
                                       .head = generation.head,
                                       .count = generation.count,
                                       .threshold = generation.threshold,
                                       .objects = space.count,
                                       .whole = whole,
                                       .types = count_types(reader, heap, space, top)});
  }
  return survey;
}

} // namespace pygc::analysis
