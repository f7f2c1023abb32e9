#include "common/session/found_objects.h"

#include "common/cpython/collector/allocator_pages.h"
#include "common/cpython/collector/merge_queues.h"
#include "common/cpython/gc_bits.h"
#include "common/heap/collected_set.h"

#include <algorithm>

namespace pygc::session {
namespace {

/// Gives up at the first thing that the walk of a careful check would have to tell.
class Finder final : public cpython::PageSink {
public:
  Finder(replay::FoundObjects& found, const std::function<bool()>& cancelled)
      : found_(found), cancelled_(cancelled) {}

  bool gave_up() const { return gave_up_; }

  void fault(std::string /*message*/, bool /*missing*/) override { gave_up_ = true; }
  void tell_motion(std::string /*message*/) override { gave_up_ = true; }
  Result<void> take(const cpython::mimalloc::Page& page, const cpython::mimalloc::Blocks& blocks,
                    std::uint64_t before) override {
    if (gave_up_ || cancelled_()) {
      return fail(ErrorKind::cancelled, 0, "the objects are left to a careful walk");
    }
    if (std::ranges::any_of(blocks.words, [](std::uint64_t word) { return word != 0; })) {
      found_.pages.push_back({.first = page.start + before,
                              .stride = page.block_size,
                              .blocks = blocks.count,
                              .list = found_.lists - 1,
                              .words = blocks.words});
    }
    return {};
  }

private:
  replay::FoundObjects& found_; // its last list is the one whose pages come
  const std::function<bool()>& cancelled_;
  bool gave_up_ = false;
};

/// The counts of each tracked object stand for themselves: none waits to be merged, and no thread
/// was stopped so that they may be anything.
bool are_counts_settled(const image::AddressSpace& memory, const cpython::Runtime& runtime,
                        const cpython::FreeThreadedLayout& layout) {
  const auto stopped =
      memory.load<std::uint8_t>(runtime.interpreters.front().address + layout.interp_world_stopped);
  const cpython::MergeQueues queues = cpython::read_merge_queues(memory, runtime);
  return stopped && *stopped == 0 && queues.known &&
         std::ranges::all_of(queues.objects, [&](Address object) {
           const auto bits = memory.load<std::uint8_t>(object + layout.ob_gc_bits);
           return bits && (*bits & cpython::gc_bits::tracked) == 0;
         });
}

} // namespace

std::optional<replay::FoundObjects> find_objects(const cpython::ObjectReader& reader,
                                                 const std::function<bool()>& cancelled) {
  const cpython::Runtime& runtime = reader.runtime();
  const auto& fields = runtime.layout.free_threaded;
  if (!fields || !are_counts_settled(reader.memory(), runtime, *fields)) {
    return std::nullopt;
  }
  const cpython::Interpreter& interpreter = runtime.interpreters.front();
  replay::FoundObjects found;
  Finder finder(found, cancelled);
  bool has_frozen = false;
  for (const std::size_t index : heap::swept_spaces(runtime, interpreter)) {
    const cpython::Space& space = interpreter.spaces[index];
    if (space.kind == cpython::SpaceKind::permanent) {
      has_frozen = true;
      found.frozen_list = found.lists++; // its objects lie among the others
      continue;
    }
    ++found.lists;
    if (!cpython::walk_pages(reader.memory(), runtime, interpreter, space, finder) ||
        finder.gave_up()) {
      return std::nullopt;
    }
  }
  if (!has_frozen) {
    return std::nullopt;
  }
  found.ob_tid = fields->ob_tid;
  found.ob_ref_local = fields->ob_ref_local;
  found.ob_ref_shared = fields->ob_ref_shared;
  found.ob_gc_bits = fields->ob_gc_bits;
  return found;
}

} // namespace pygc::session
