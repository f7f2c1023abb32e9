// Whose memory a slot lies in: the container's own, or the runtime's, an interpreter's, a static
// variable's.
#pragma once

#include "common/analysis/owner.h"
#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"
#include "common/image/module.h"

#include <vector>

namespace pygc::analysis {

class Ownership {
public:
  /// The memory that is a container's own for sure.
  struct Extent {
    image::Range object; // the GC head and what lies before it included
    image::Range state;  // md_state, of modules
  };

  Ownership(const image::ProcessImage& image, cpython::ObjectReader& reader);

  Extent extent(Address container);
  /// The owner of `slot`, from which a traversal of the container with this extent loaded what it
  /// visited.
  Owner owner(const Extent& extent, SlotAddress slot) const;
  Owner owner(Address container, SlotAddress slot) { return owner(extent(container), slot); }
  /// Whose static storage the slot lies in; null: nobody's.
  const image::Module* static_image(SlotAddress slot) const;

private:
  std::uint64_t object_size(Address object);
  /// Of an object whose type has a tp_itemsize. Errors: memory_*.
  Result<std::int64_t> item_count(Address object, const cpython::TypeInfo& type);

  struct StaticRange {
    image::Range range;
    const image::Module* module = nullptr;
  };

  cpython::ObjectReader& reader_;
  std::vector<StaticRange> statics_; // ascending
};

} // namespace pygc::analysis
