#include "common/analysis/step/step_report.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

constexpr std::size_t frames_shown = 12;

class Reporter {
public:
  Reporter(const RunningCollection& collection, Explainer& explainer,
           const StepReportOptions& options, StepReport& report)
      : set_(collection.set()), position_(*collection.position()), replay_(collection.replay()),
        explainer_(explainer), options_(options), report_(report) {}

  Result<void> run() {
    const auto all = static_cast<std::uint32_t>(set_.objects.size());
    report_.located = true;
    report_.containers = all;
    report_.traversed = position_.container;
    report_.inside = position_.inside;
    prepare_containers();
    const std::uint32_t next = position_.container + (position_.inside ? 1 : 0);
    if (next < all) {
      report_.next = container(next);
    }
    tell_differences();
    if (options_.references) {
      for (std::size_t i = 0; i < all; ++i) {
        report_.references.push_back({set_.objects[heap::SetIndex(i)], position_.stored[i]});
      }
    }
    return position_.inside ? tell_running() : tell_done();
  }

private:
  StepContainer container(std::uint32_t index) {
    const Address address = set_.objects[heap::SetIndex(index)];
    return {.index = index,
            .object = explainer_.object(address),
            .function = explainer_.function_name(explainer_.traverse_function(address, 0))};
  }

  void tell_changes(const std::vector<std::int64_t>& before) {
    std::vector<std::size_t> shown;
    std::vector<Address> named;
    for (std::size_t i = 0; i < set_.objects.size(); ++i) {
      if (before[i] != position_.stored[i] && ++report_.changed_count <= options_.limit) {
        shown.push_back(i);
        named.push_back(set_.objects[heap::SetIndex(i)]);
      }
    }
    explainer_.prepare(named);
    for (const std::size_t i : shown) {
      report_.changed.push_back(
          {explainer_.object(set_.objects[heap::SetIndex(i)]), before[i], position_.stored[i]});
    }
  }

  /// So that dictionaries are named after their owners.
  void prepare_containers() {
    const std::size_t first = position_.container == 0 ? 0 : position_.container - 1;
    const std::size_t end = std::min<std::size_t>(position_.container + 2, set_.objects.size());
    explainer_.prepare(std::span(set_.objects).subspan(first, end - first));
  }

  Result<void> tell_running() {
    report_.container = container(position_.container);
    tell_changes(position_.before);
    const auto visits = replay_.visits_by(position_.container);
    if (!visits) {
      return std::unexpected(visits.error());
    }
    report_.visits_made = position_.visits;
    report_.visits_all = visits->size();
    if (position_.visits > 0 && position_.visits <= visits->size()) {
      const std::uint32_t last = (*visits)[position_.visits - 1];
      report_.last_visit =
          StepVisit{explainer_.object(set_.objects[heap::SetIndex(last)]), position_.stored[last]};
    }
    if (position_.visits < visits->size()) {
      const std::uint32_t coming = (*visits)[position_.visits];
      report_.next_visit = StepVisit{explainer_.object(set_.objects[heap::SetIndex(coming)]),
                                     position_.stored[coming] - 1};
    }
    return {};
  }

  Result<void> tell_done() {
    if (position_.container == 0) {
      return {};
    }
    const std::uint32_t last = position_.container - 1;
    report_.container = container(last);
    const auto before = replay_.gc_refs_after(last);
    if (!before) {
      return std::unexpected(before.error());
    }
    tell_changes(*before);
    for (std::size_t i = 0; i < set_.objects.size(); ++i) {
      report_.visits_all += static_cast<std::uint64_t>((*before)[i] - position_.before[i]);
    }
    report_.visits_made = report_.visits_all;
    return {};
  }

  void tell_differences() {
    for (std::size_t i = 0; i < set_.objects.size(); ++i) {
      const std::int64_t highest = position_.before[i];
      const std::int64_t lowest = position_.inside ? highest - position_.taken[i] : highest;
      const std::int64_t stored = position_.stored[i];
      if ((stored < lowest || stored > highest) && ++report_.difference_count <= options_.limit) {
        report_.differences.push_back(
            {explainer_.object(set_.objects[heap::SetIndex(i)]), stored, highest, lowest});
      }
    }
  }

  const heap::CollectedSet& set_;
  const SubtractPosition& position_;
  SubtractReplay& replay_;
  Explainer& explainer_;
  const StepReportOptions& options_;
  StepReport& report_;
};

} // namespace

std::vector<std::string> frame_names(const std::vector<image::Frame>& frames,
                                     const image::ProcessImage& image) {
  std::vector<std::string> names;
  for (const image::Frame& frame : frames) {
    if (names.size() < frames_shown) {
      names.push_back(frame.function.empty() ? image.describe_code(frame.pc) : frame.function);
    }
  }
  return names;
}

Result<StepReport> make_step_report(const RunningCollection& collection,
                                    const image::ProcessImage& image, Explainer& explainer,
                                    const StepReportOptions& options) {
  StepReport report;
  report.in_progress = collection.in_progress();
  report.phase = cpython::phase_name(collection.phase());
  report.generation = collection.generation();
  report.frames = frame_names(collection.frames(), image);
  if (collection.interpreter() != nullptr) {
    report.interpreter = collection.interpreter()->id;
  }
  if (collection.position() != nullptr) {
    if (auto told = Reporter(collection, explainer, options, report).run(); !told) {
      return std::unexpected(told.error());
    }
  }
  return report;
}

} // namespace pygc::analysis
