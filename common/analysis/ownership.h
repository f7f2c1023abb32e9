// Whose memory a slot lies in: the container's own, or the runtime's, an interpreter's, a static
// variable's.
#pragma once

#include "common/cpython/object_reader.h"
#include "common/image/module.h"

#include <string>
#include <string_view>

namespace pygc::analysis {

enum class Owner : std::uint8_t {
  object,         // inside the container, or dynamic memory reached from it
  module_state,   // inside md_state of the container
  runtime,        // inside _PyRuntime
  interpreter,    // inside a PyInterpreterState (the main one lies in _PyRuntime since 3.12)
  static_storage, // other writable static storage of an image
  unknown,        // the slot is not known
};

/// "object", "module state", "runtime", "interpreter", "static", "unknown".
std::string_view owner_name(Owner owner);

class Ownership {
public:
  Ownership(const image::ProcessImage& image, cpython::ObjectReader& reader)
      : image_(image), reader_(reader) {}

  /// The owner of `slot`, from which a traversal of `container` loaded what it visited.
  Owner owner(Address container, Address slot);
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

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
};

} // namespace pygc::analysis
