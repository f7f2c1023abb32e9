// The two views of what has changed between two heaps.
#pragma once

#include "common/analysis/count_diff.h"
#include "common/analysis/explore/heap_diff.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::report {

struct Differences {
  Subject old_heap;
  Subject new_heap; // which the document is about
  analysis::HeapDiff types;
  std::string of_type; // whose ways were compared; empty: none's
  // Nothing: not asked for.
  std::optional<std::vector<analysis::CountChange>> ways;
  std::optional<std::vector<analysis::CountChange>> leaks;
  std::optional<std::vector<analysis::CountChange>> violations; // of rules, by pygc audit
  std::vector<std::string> incomplete_because;
};

/// Schema pygc.diff/1.
std::string diff_json(const Differences& differences);
/// `limit`: lines shown of each kind, the largest growth first.
std::string diff_text(const Differences& differences, Style style, std::size_t limit);

} // namespace pygc::report
