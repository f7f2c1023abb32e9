// The two views of what has changed between two heaps.
#pragma once

#include "common/analysis/explore/heap_diff.h"
#include "common/analysis/explore/way_diff.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

struct Differences {
  Subject old_heap;
  Subject new_heap; // which the document is about
  analysis::HeapDiff types;
  std::string of_type; // whose ways were compared; empty: none's
  std::vector<analysis::WayChange> ways;
  std::vector<std::string> incomplete_because;
};

/// Schema pygc.diff/1.
std::string diff_json(const Differences& differences);
/// `limit`: types and ways shown, the largest growth first.
std::string diff_text(const Differences& differences, Style style, std::size_t limit);

} // namespace pygc::report
