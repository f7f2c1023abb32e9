#include "common/analysis/facts/trace_facts.h"

#include <algorithm>

namespace pygc::analysis {

Result<TraceFacts> trace_slots(const CheckInput& input, Ownership& ownership,
                               std::vector<replay::TraceRequest> requests,
                               std::span<const Address> watched_functions) {
  auto survey = survey_slots(*input.tracer, ownership, std::move(requests), watched_functions);
  if (!survey) {
    return std::unexpected(survey.error());
  }
  TraceFacts trace;
  trace.survey = std::move(*survey);
  trace.foreign_slots = find_foreign_slots(trace.survey, input.reader);
  trace.duplicate_slots = find_duplicate_slots(trace.survey);
  trace.writes = summarize_writes(input, trace.survey);
  return trace;
}

std::vector<Address> suspicious_objects(const TraceFacts& trace) {
  std::vector<Address> objects;
  for (const ForeignSlot& slot : trace.foreign_slots) {
    objects.push_back(slot.object);
  }
  for (const DuplicateSlot& slot : trace.duplicate_slots) {
    objects.push_back(slot.object);
  }
  std::ranges::sort(objects);
  const auto repeated = std::ranges::unique(objects);
  objects.erase(repeated.begin(), repeated.end());
  return objects;
}

std::vector<MismatchedFile> find_mismatched_files(const image::ProcessImage& image) {
  std::vector<MismatchedFile> files;
  for (const auto& module : image.modules()) {
    if (module->file_state() == image::FileState::build_id_mismatch) {
      files.push_back({module->extent().start, module->file_problem()});
    }
  }
  return files;
}

} // namespace pygc::analysis
