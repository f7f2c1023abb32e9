// The collector's own steps over the target's objects, as the native replayer does them, and the
// jobs for traverse functions.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/engine.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pygc::replayer {

/// What all commands work on.
struct Workplace {
  replay::protocol::Setup setup;
  GuestMemory memory;
  std::byte* window = nullptr;

  template <class T> T* in_window(std::uint64_t offset) const {
    return reinterpret_cast<T*>(window + offset);
  }
  std::uint64_t* progress() const {
    return &in_window<replay::protocol::WindowHeader>(0)->progress;
  }
  std::uint64_t gc_prev(std::uint64_t object) const {
    return object - setup.shape.gc_head_size + setup.shape.gc_prev;
  }
};

/// What ends a traversal before it begins: `incident` says where reading the type failed.
std::uint64_t traverse_function(const Workplace& place, std::uint64_t object,
                                replay::protocol::IncidentRecord& incident);

/// clear, update, collect.
replay::protocol::Reply clear(const Workplace& place, const replay::protocol::Command& command);
replay::protocol::Reply update(const Workplace& place, const replay::protocol::Command& command);
replay::protocol::Reply collect(const Workplace& place, const replay::protocol::Command& command);
/// traverse, visits.
replay::protocol::Reply traverse(const Workplace& place, Engine& engine,
                                 const replay::protocol::Command& command);

} // namespace pygc::replayer
