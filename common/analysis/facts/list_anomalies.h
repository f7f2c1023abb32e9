// What is wrong with the collector's lists, and what only looks so because a thread was just
// changing it.
#pragma once

#include "common/analysis/facts/deallocations.h"
#include "common/analysis/facts/facts.h"
#include "common/analysis/facts/input.h"
#include "common/analysis/facts/thread_deeds.h"
#include "common/analysis/facts/worked_at.h"

#include <optional>

namespace pygc::analysis {

class ListAnomalies {
public:
  explicit ListAnomalies(const CheckInput& input)
      : input_(input), runtime_(input.reader.runtime()) {}

  /// Writes `anomalies` and `being_freed`: what the walk of the heap found, with the threads' part
  /// in it.
  void list(Facts& facts);

  /// What a thread was just at, so that its objects may be on no list; nothing: it was at none of
  /// it.
  std::optional<ListAnomaly> motion_of(const LostObjects& lost);

private:
  ListAnomaly anomaly_of(const heap::Corruption& corruption);
  void note_linking(std::vector<ListAnomaly>& anomalies);
  bool is_unreferenced(const heap::Corruption& corruption) const;
  const ThreadDeeds& deeds();
  const WorkedAt& worked_at();

  const CheckInput& input_;
  const cpython::Runtime& runtime_;
  std::optional<ThreadDeeds> deeds_; // once they are asked for
  std::optional<WorkedAt> worked_at_;
};

} // namespace pygc::analysis
