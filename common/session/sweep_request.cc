#include "common/session/sweep_request.h"

#include "common/cpython/collector/collector.h"
#include "common/heap/collected_set.h"

#include <algorithm>

namespace pygc::session {
namespace {

constexpr std::int64_t header_limit = 256; // no struct in front of the items is as large

} // namespace

std::optional<replay::SweepRequest> sweep_request(cpython::ObjectReader& reader) {
  const cpython::Runtime& runtime = reader.runtime();
  const bool visitor_unknown = runtime.layout.stack_ref_size && runtime.visit_decref == 0;
  const bool has_lists = cpython::collector_of(runtime.layout).has_lists();
  // The target's own visitor looks for counts in the objects, and those of found ones are aside.
  if ((!has_lists && runtime.layout.stack_ref_size) || runtime.interpreters.size() != 1 ||
      reader.memory().pager() != nullptr || visitor_unknown) {
    return std::nullopt;
  }
  const cpython::Interpreter& interpreter = runtime.interpreters.front();
  if (interpreter.collecting) {
    return std::nullopt;
  }
  replay::SweepRequest request;
  if (has_lists) {
    for (const std::size_t space : heap::swept_spaces(runtime, interpreter)) {
      const cpython::Space& list = interpreter.spaces[space];
      request.lists.push_back(
          {.head = list.head, .collected = list.kind != cpython::SpaceKind::permanent});
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
  request.ob_size = static_cast<std::uint32_t>(runtime.layout.ob_size);
  // Items begin where the type's own instances end.
  request.tuple_type = reader.exported("PyTuple_Type");
  const std::int64_t items =
      request.tuple_type == 0 ? 0 : reader.type(request.tuple_type).basicsize;
  if (items <= 0 || items > header_limit) {
    request.tuple_type = 0;
  } else {
    request.tuple_items = static_cast<std::uint32_t>(items);
  }
  request.dict_type = reader.exported("PyDict_Type");
  request.ma_keys = static_cast<std::uint32_t>(runtime.layout.ma_keys);
  request.ma_values = static_cast<std::uint32_t>(runtime.layout.ma_values);
  request.dk_kind = static_cast<std::uint32_t>(runtime.layout.dk_kind.value_or(0));
  return request;
}

} // namespace pygc::session
