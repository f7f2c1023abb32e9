// What one build's cyclic garbage collector is like: where it finds its objects, in which order it
// takes them, what it notes in them. Everything else asks here. A collector of another kind is a
// further implementation, and a line in collector.cc.
#pragma once

#include "common/cpython/collector/heap_source.h"
#include "common/cpython/collector/stepping.h"
#include "common/cpython/runtime.h"
#include "common/target/target.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace pygc::cpython {

/// Stateless: what differs between targets comes with each call.
class Collector {
public:
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  virtual ~Collector() = default;

  /// Fills `enabled`, `collecting` and `spaces` of an interpreter whose gc_state is known.
  /// Errors: corrupt, memory_*.
  virtual Result<void> read(const image::AddressSpace& memory, const Layout& layout,
                            Interpreter& interpreter) const = 0;

  /// Accepts a layout only when what it says of the interpreter's spaces can be. Damage further on
  /// is no objection: that is for the check to find. Errors: corrupt with the first contradiction.
  virtual Result<void> prove(const image::AddressSpace& memory, const Layout& layout,
                             const Interpreter& interpreter) const = 0;

  /// Appends to the collecting interpreter what a running collection holds elsewhere, as spaces of
  /// kind `running`. Returns their number.
  virtual std::size_t find_running_spaces(const image::AddressSpace& memory,
                                          const std::vector<target::Thread>& threads,
                                          Runtime& runtime) const = 0;

  /// The spaces (indices) that a collection of space `oldest` and all younger ones takes, in the
  /// order in which it takes their objects.
  virtual std::vector<std::size_t> taken(const Interpreter& interpreter,
                                         std::size_t oldest) const = 0;

  /// Whether the objects of a space are a ring of PyGC_Heads at Space::head, which a replayer can
  /// follow alone.
  virtual bool has_lists() const = 0;

  /// Both must outlive what is returned.
  virtual std::unique_ptr<HeapSource> source(const image::AddressSpace& memory,
                                             const Runtime& runtime) const = 0;

  /// Whether an object of a GC type is tracked. Errors: memory_*.
  virtual Result<bool> is_tracked(const image::AddressSpace& memory, const Layout& layout,
                                  Address object) const = 0;

  /// How to follow its traversals in a process; nullptr when that cannot be.
  virtual const Stepping* stepping() const = 0;
};

/// The collector of a build with this layout.
const Collector& collector_of(const Layout& layout);

} // namespace pygc::cpython
