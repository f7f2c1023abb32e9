#include "common/session/sweep_request.h"

#include "common/heap/collected_set.h"

#include <algorithm>

namespace pygc::session {

std::optional<replay::SweepRequest> sweep_request(cpython::ObjectReader& reader) {
  const cpython::Runtime& runtime = reader.runtime();
  const bool visitor_unknown = runtime.layout.stack_ref_size && runtime.visit_decref == 0;
  if (runtime.interpreters.size() != 1 || reader.memory().pager() != nullptr || visitor_unknown) {
    return std::nullopt;
  }
  const cpython::Interpreter& interpreter = runtime.interpreters.front();
  if (interpreter.collecting) {
    return std::nullopt;
  }
  replay::SweepRequest request;
  for (const std::size_t generation : heap::joined_generations(interpreter, SIZE_MAX)) {
    request.lists.push_back({.head = interpreter.generations[generation].head, .collected = true});
  }
  for (const cpython::Generation& generation : interpreter.generations) {
    if (generation.permanent) {
      request.lists.push_back({.head = generation.head, .collected = false});
    }
  }
  request.sample_size = sample_size;
  request.sampled_type = reader.exported("PyModule_Type");
  request.immortal_objects = runtime.immortal_objects;
  request.borrowed_references = runtime.layout.stack_ref_size.has_value();
  request.refcount_mask = runtime.refcount(~std::uint64_t{0});
  request.gc_next = static_cast<std::uint32_t>(runtime.layout.gc_next);
  request.ob_refcnt = static_cast<std::uint32_t>(runtime.layout.ob_refcnt);
  request.tp_base = static_cast<std::uint32_t>(runtime.layout.tp_base);
  return request;
}

} // namespace pygc::session
