#include "common/analysis/facts/frame_counts.h"

namespace pygc::analysis {

FrameReferences frame_references_by_object(cpython::ObjectReader& reader,
                                           const cpython::Interpreter& interpreter) {
  FrameReferences by_object;
  for (const cpython::FrameReference& reference : cpython::frame_references(reader, interpreter)) {
    by_object[reference.object].push_back(reference);
  }
  return by_object;
}

std::vector<UndercountedObject> find_undercounted(const FrameReferences& references,
                                                  std::int64_t interpreter,
                                                  const std::map<Address, std::int64_t>& gc_refs) {
  std::vector<UndercountedObject> found;
  for (const auto& [object, held] : references) {
    const auto refs = gc_refs.find(object);
    // Of a negative one all visitors are told.
    if (refs != gc_refs.end() && refs->second >= 0 &&
        refs->second < static_cast<std::int64_t>(held.size())) {
      found.push_back({.interpreter = interpreter,
                       .object = object,
                       .gc_refs = refs->second,
                       .references = held});
    }
  }
  return found;
}

} // namespace pygc::analysis
