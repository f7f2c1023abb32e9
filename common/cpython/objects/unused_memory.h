// Memory that the allocator of a free-threaded build has reserved and not given out: most of the
// gigabyte that its first arena takes.
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/address_space.h"
#include "common/image/module.h"

#include <span>
#include <vector>

namespace pygc::cpython {

/// Blocks of arenas that are not in use (mi_arena_t.blocks_inuse, Objects/mimalloc/arena.c), and
/// the slices of segments that belong to no page. Ascending. No live object lies there and nothing
/// that refers to one. Empty for builds with a GIL, and where the arenas are not found: without
/// symbols.
std::vector<image::Range> unused_memory(const image::AddressSpace& memory, const Runtime& runtime);

/// What of `whole` lies in none of the ranges, which ascend.
std::vector<image::Range> without(image::Range whole, std::span<const image::Range> ranges);

} // namespace pygc::cpython
