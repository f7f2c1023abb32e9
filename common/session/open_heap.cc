#include "common/session/open_heap.h"

namespace pygc::session {

Result<OpenHeap> open_heap(const Options& options, Surroundings& surroundings) {
  auto context = Context::open_python(options, surroundings);
  if (!context) {
    return std::unexpected(context.error());
  }
  return open_heap(std::move(*context));
}

Result<OpenHeap> open_heap(std::unique_ptr<Context> context) {
  // First the replayer: it reads the image while we walk the heap.
  const auto replayer = context->replayer();
  if (!replayer) {
    return std::unexpected(replayer.error());
  }
  const auto heap = context->heap();
  if (!heap) {
    return std::unexpected(heap.error());
  }
  return OpenHeap{.context = std::move(context), .replayer = *replayer, .heap = *heap};
}

} // namespace pygc::session
