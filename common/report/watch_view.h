// The two views of a decrement of gc_refs that `pygc watch` stopped at.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::report {

/// One decrement, or the last one that a debug build does not make.
struct WatchHit {
  std::uint64_t number = 0; // from 1
  std::uint64_t all = 0;    // that the replay predicts for the whole collection
  std::int64_t before = 0;
  std::int64_t after = 0;
  bool refused = false;
  std::uint64_t container_index = 0;
  std::uint64_t containers = 0;
  analysis::ObjectView object;
  analysis::Visitor visitor;
  std::vector<std::string> frames;
};

/// One line of JSON Lines, of schema pygc.watch/1.
std::string watch_json(const Subject& subject, const WatchHit& hit);

std::string watch_text(const WatchHit& hit, Style style);

} // namespace pygc::report
