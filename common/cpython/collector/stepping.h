// How a debugger follows subtract_refs from container to container; in builds without a GIL
// update_refs, which traverses too.
#pragma once

#include "common/base/error.h"
#include "common/cpython/layout.h"

#include <cstdint>

namespace pygc::cpython {

class Stepping {
public:
  Stepping() = default;
  Stepping(const Stepping&) = delete;
  Stepping& operator=(const Stepping&) = delete;
  virtual ~Stepping() = default;

  /// The word that holds an object's gc_refs during a collection.
  virtual Address gc_refs_word(const Layout& layout, Address object) const = 0;
  /// What that word is at least while gc_refs is 1 or more.
  virtual std::uint64_t least_with_reference() const = 0;
  /// Whether the loop follows links from object to object, and writes a gc_refs in subtractions
  /// alone: what a hardware watchpoint needs. Else it comes by all that heaps hold, and may leave
  /// out objects of the set.
  virtual bool has_links() const = 0;
  /// The word that the loop reads once to get from an object to the next one. Only with links.
  virtual Address link_behind(const Layout& layout, Address object) const = 0;
  /// The same, to the first object of a space.
  virtual Address link_to_first(const Layout& layout, Address head) const = 0;
  /// Whether the loop, on its way to or from the object, can have this value in a register.
  virtual bool is_cursor(const Layout& layout, std::uint64_t value, Address object) const = 0;
};

} // namespace pygc::cpython
