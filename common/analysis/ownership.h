// Whose memory a slot lies in: the container's own, or the runtime's, an interpreter's, a static
// variable's.
#pragma once

#include "common/cpython/object_reader.h"
#include "common/image/module.h"

#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

enum class Owner : std::uint8_t {
  object,         // inside the container, or dynamic memory reached from it
  module_state,   // inside md_state of the container, or dynamic memory reached from it
  runtime,        // inside _PyRuntime
  interpreter,    // inside a PyInterpreterState (the main one lies in _PyRuntime since 3.12)
  static_storage, // other writable static storage of an image
  unknown,        // the slot is not known
};

/// "object", "module state", "runtime", "interpreter", "static", "unknown".
std::string_view owner_name(Owner owner);

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
  Owner owner(const Extent& extent, Address slot) const;
  Owner owner(Address container, Address slot) { return owner(extent(container), slot); }
  /// A container does not own what lies in the runtime's, an interpreter's or static storage,
  /// unless it lies in the container itself.
  static bool is_foreign(Owner owner) {
    return owner == Owner::runtime || owner == Owner::interpreter || owner == Owner::static_storage;
  }
  /// "_PyRuntime.faulthandler.fatal_error.file" with DWARF, "symbol+0x8", "image+0x1234"; for
  /// dynamic memory an offset from the container when it lies inside it, else empty.
  std::string slot_name(Address container, Address slot);

private:
  std::uint64_t object_size(Address object);
  const image::Module* static_image(Address slot) const;

  struct StaticRange {
    image::Range range;
    const image::Module* module = nullptr;
  };

  cpython::ObjectReader& reader_;
  std::vector<StaticRange> statics_; // ascending
};

} // namespace pygc::analysis
