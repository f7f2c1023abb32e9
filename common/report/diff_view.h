// The two views of what has changed between two heaps.
#pragma once

#include "common/analysis/explore/heap_diff.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>
#include <vector>

namespace pygc::report {

struct DiffSubjects {
  Subject old_heap;
  Subject new_heap; // which the document is about
};

/// Schema pygc.diff/1.
std::string diff_json(const DiffSubjects& subjects, const analysis::HeapDiff& diff,
                      const std::vector<std::string>& incomplete_because);
/// `limit`: types shown, the largest growth first.
std::string diff_text(const analysis::HeapDiff& diff, Style style, std::size_t limit,
                      const std::vector<std::string>& incomplete_because);

} // namespace pygc::report
