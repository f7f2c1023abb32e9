// A sweep of a collector without lists: the objects are found by the caller.
#pragma once

#include "common/replay/sweep.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace pygc::replay {

/// Bits in place of addresses: objects are many.
struct FoundObjects {
  struct Run {
    Address first = 0; // object, of the lowest bit
    bool collected = false;
    std::vector<std::uint64_t> words; // a bit for each protocol::found_granule bytes
  };
  std::vector<Run> runs; // in the collector's order
  SweptLists lists;      // what Sweep::walk() is to tell of them
  /// Where their references are counted (in PyObject, PEP 703).
  std::uint32_t ob_ref_local = 0;
  std::uint32_t ob_ref_shared = 0;
  std::uint32_t ob_gc_bits = 0;
};

/// As start_sweep(), of a request without lists and with counts aside.
Result<std::unique_ptr<Sweep>> start_found_sweep(const image::AddressSpace& memory,
                                                 const Options& options,
                                                 const SweepRequest& request,
                                                 const FoundObjects& found,
                                                 const std::function<bool()>& cancelled);

} // namespace pygc::replay
