// A sweep of a collector without lists: the caller tells where objects can be.
#pragma once

#include "common/replay/sweep.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace pygc::replay {

struct FoundObjects {
  /// Blocks of one size, of which those in use hold objects of a list, as far as their bits say so.
  struct Page {
    Address first = 0;        // where the object of the first block would begin
    std::uint64_t stride = 0; // from one to the next
    std::uint32_t blocks = 0;
    std::uint32_t list = 0;
    std::vector<std::uint64_t> words; // a bit for each block, from the lowest on
  };
  std::vector<Page> pages; // in the collector's order
  std::uint32_t lists = 0; // that SweptLists::counts has
  std::uint32_t frozen_list = 0;
  /// Where their references are counted (in PyObject, PEP 703).
  std::uint32_t ob_tid = 0;
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
