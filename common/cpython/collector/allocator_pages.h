// The pages of the allocator that a free-threaded build's gc_visit_heaps() goes through: those of
// each thread's heaps of containers, and what ended threads have left.
#pragma once

#include "common/cpython/collector/mimalloc.h"
#include "common/cpython/runtime.h"

#include <cstdint>
#include <string>

namespace pygc::cpython {

class PageSink {
public:
  PageSink() = default;
  PageSink(const PageSink&) = delete;
  PageSink& operator=(const PageSink&) = delete;
  virtual ~PageSink() = default;

  /// What cannot be; `missing`: because memory was not saved.
  virtual void fault(std::string message, bool missing) = 0;
  /// What a thread was just moving.
  virtual void tell_motion(std::string message) = 0;
  /// A page with blocks in use; those that wait to be freed are not among them. `before`: from a
  /// block to the object in it. An error ends the walk.
  virtual Result<void> take(const mimalloc::Page& page, const mimalloc::Blocks& blocks,
                            std::uint64_t before) = 0;
};

/// All pages of a space; of the permanent one, whose objects lie among the others, all there are.
/// Errors: those of the sink.
Result<void> walk_pages(const image::AddressSpace& memory, const Runtime& runtime,
                        const Interpreter& interpreter, const Space& space, PageSink& sink);

} // namespace pygc::cpython
