#include "common/commands/open_collection.h"

#include "common/commands/watchpoint_choice.h"
#include "common/cpython/collector/collector.h"

#include <algorithm>

namespace pygc::commands {

Result<OpenCollection> open_collection(const session::Options& options,
                                       session::Surroundings& surroundings) {
  OpenCollection open;
  auto context = session::Context::open_python(options, surroundings);
  if (!context) {
    return std::unexpected(context.error());
  }
  open.context = std::move(*context);
  const cpython::Runtime& runtime = open.context->runtime();
  if (cpython::collector_of(runtime.layout).stepping() == nullptr) {
    return fail(ErrorKind::unsupported, runtime.address,
                "the collector of this build cannot be followed");
  }
  if (std::ranges::none_of(open.context->runtime().interpreters,
                           &cpython::Interpreter::collecting)) {
    return open;
  }
  // First the replayer: it reads the image while we walk the heap.
  if (const auto replayer = open.context->replayer(); !replayer) {
    return std::unexpected(replayer.error());
  }
  const auto heap = open.context->heap();
  if (!heap) {
    return std::unexpected(heap.error());
  }
  auto collection = analysis::RunningCollection::open(
      {.image = open.context->image(),
       .threads = open.context->target().threads(),
       .reader = open.context->reader(),
       .heap = **heap,
       .replayer = [context = open.context.get()] { return context->replayer(); }});
  if (!collection) {
    return std::unexpected(collection.error());
  }
  open.collection = std::move(*collection);
  return open;
}

bool relies_on_watchpoints(const OpenCollection& open, bool asked) {
  return cpython::collector_of(open.context->runtime().layout).stepping()->has_links() &&
         choose_watchpoints(open.context->target().info(), asked).fires;
}

Result<std::vector<cpython::SubtractLoop>> subtract_loops(const session::Context& context) {
  auto loops = cpython::find_subtract_loops(context.image().memory(), context.runtime());
  if (loops.empty()) {
    return fail(ErrorKind::unsupported, context.runtime().address,
                context.runtime().layout.free_threaded
                    ? "the interpreter has no symbol of visit_decref, without which pygc does not "
                      "find where update_refs traverses"
                    : "the loop of subtract_refs was not found in the interpreter's code");
  }
  return loops;
}

} // namespace pygc::commands
