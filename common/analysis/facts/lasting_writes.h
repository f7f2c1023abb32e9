// Memory that traversals change for good, as tracing sees it.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/facts/slot_survey.h"

#include <cstdint>
#include <map>
#include <vector>

namespace pygc::analysis {

/// What one function writes: to reference counts, or to all else. The dynamic linker may write: it
/// binds functions at their first call.
struct LastingWrite {
  Address function = 0;  // the traverse function
  Address counted = 0;   // the object whose reference count it is; 0: it is none
  Address container = 0; // of the first place, in the function's own library where there is one
  Address pc = 0;        // of that place
  Address address = 0;   // written there
  std::uint64_t places = 0;
  std::uint64_t count = 0; // traversals and places
};

/// What one function changes for a while although the collector of a free-threaded build uses it
/// meanwhile, or all threads are stopped wherever they are.
struct UndoneWrite {
  Address function = 0;
  Address object = 0;                         // whose mutex or reference count it is
  bool locks = false;                         // the mutex
  Address container = 0, pc = 0, address = 0; // of the first one
  std::uint64_t count = 0;
};

struct WriteSummary {
  std::vector<LastingWrite> writes;             // by function
  std::vector<UndoneWrite> undone;              // by function
  std::map<Address, std::uint64_t> unsupported; // traversals, by the instruction the engine lacks
};

WriteSummary summarize_writes(const CheckInput& input, const SlotSurvey& survey);

/// True for code of the dynamic linker.
bool is_dynamic_linker(const image::ProcessImage& image, Address pc);

/// The object whose reference count is written; 0 when it is none, or when the C library writes,
/// which knows no objects: memory that its allocator manages may still look like one.
Address counted_object(const CheckInput& input, const replay::Incident& write);

} // namespace pygc::analysis
