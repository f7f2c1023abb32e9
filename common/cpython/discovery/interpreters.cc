#include "common/cpython/discovery/interpreters.h"

#include "common/cpython/collector/collector.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t interpreter_limit = 65536;

} // namespace

Result<void> read_interpreters(const image::AddressSpace& memory, Runtime& runtime) {
  const Layout& layout = runtime.layout;
  auto next = memory.load<Address>(runtime.address + layout.interpreters_head);
  while (next && *next != 0) {
    if (!is_plausible(*next) || runtime.interpreters.size() >= interpreter_limit) {
      return fail(ErrorKind::corrupt, *next, fmt::format("no interpreter state at {:#x}", *next));
    }
    Interpreter interpreter;
    interpreter.address = *next;
    if (std::ranges::any_of(runtime.interpreters,
                            [&](const Interpreter& i) { return i.address == *next; })) {
      return fail(ErrorKind::corrupt, *next, "the list of interpreters is cyclic");
    }
    const auto id = memory.load<std::int64_t>(*next + layout.interp_id);
    if (!id) {
      return std::unexpected(id.error());
    }
    interpreter.id = *id;
    if (layout.interp_gc) {
      interpreter.gc_state = *next + *layout.interp_gc;
    } else if (layout.runtime_gc) {
      interpreter.gc_state = runtime.address + *layout.runtime_gc;
    } else {
      return fail(ErrorKind::corrupt, *next, "the layout has no collector state");
    }
    if (!layout.interp_gc && !runtime.interpreters.empty()) {
      // Up to 3.8 all interpreters share one collector: its lists belong to the first one listed.
      runtime.interpreters.push_back(std::move(interpreter));
      next = memory.load<Address>(runtime.interpreters.back().address + layout.interp_next);
      continue;
    }
    if (auto read = collector_of(layout).read(memory, layout, interpreter); !read) {
      return read;
    }
    if (layout.interp_finalizing) {
      interpreter.finalizing =
          memory.load<std::int32_t>(*next + *layout.interp_finalizing).value_or(0) != 0;
    }
    runtime.interpreters.push_back(std::move(interpreter));
    next = memory.load<Address>(runtime.interpreters.back().address + layout.interp_next);
  }
  if (!next) {
    return std::unexpected(next.error());
  }
  return {};
}

Result<void> prove_layout(const image::AddressSpace& memory, const Runtime& runtime) {
  const Collector& collector = collector_of(runtime.layout);
  for (const Interpreter& interpreter : runtime.interpreters) {
    if (auto proof = collector.prove(memory, runtime.layout, interpreter); !proof) {
      return proof;
    }
  }
  return {};
}

} // namespace pygc::cpython
