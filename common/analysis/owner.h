// To whom the memory belongs that a slot lies in.
#pragma once

#include <cstdint>
#include <string_view>

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

/// A container does not own what lies in the runtime's, an interpreter's or static storage, unless
/// it lies in the container itself.
constexpr bool is_foreign(Owner owner) {
  return owner == Owner::runtime || owner == Owner::interpreter || owner == Owner::static_storage;
}

} // namespace pygc::analysis
