#include "common/report/why_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"
#include "common/report/root_view.h"

#include <fmt/format.h>
#include <ranges>

namespace pygc::report {
namespace {

using analysis::PathStep;
using analysis::Root;
using analysis::Why;
using analysis::WhyPath;

void add_roots(Text& text, const std::vector<Root>& roots) {
  for (const Root& root : roots) {
    text.paragraph(root_text(root) + (root.proven ? " (proven)" : " (likely)"), 4);
  }
}

Json path_json(const WhyPath& path) {
  Json steps = Json::array();
  for (const PathStep& step : path.steps) {
    steps.push_back({{"object", object_json(step.object)},
                     {"name", text_or_null(step.held_at.text)},
                     {"slot", address_or_null(step.held_at.slot.value_or(SlotAddress()).at)},
                     {"common", step.common}});
  }
  return {{"basis", "exact"},
          {"targets", path.targets},
          {"gc_refs", path.gc_refs},
          {"roots", roots_json(path.roots)},
          {"steps", std::move(steps)}};
}

/// With its address, which is that of one of many where paths are merged.
std::string step_text(Text& text, const PathStep& step) {
  return fmt::format("{} {}{}", step.object.summary, step.common ? "" : "such as ",
                     text.listed(step.object.address));
}

void add_path(Text& text, const WhyPath& path, bool merged) {
  const PathStep& first = path.steps.front();
  if (merged) {
    text.line(fmt::format("{} by such a way (exact)", counted(path.targets, "object")));
  }
  text.line(fmt::format("{}   held by {} that {} no {} (exact)", step_text(text, first),
                        path.gc_refs == 1
                            ? "1 reference"
                            : grouped(static_cast<std::uint64_t>(path.gc_refs)) + " references",
                        path.gc_refs == 1 ? "is" : "are", path.gc_refs == 1 ? "visit" : "visits"));
  add_roots(text, path.roots);
  if (path.roots.empty()) {
    text.line("    unexplained: no word of memory was found that holds it (see pygc leaks)");
  }
  unsigned depth = 2;
  for (const PathStep& step : path.steps | std::views::drop(1)) {
    text.line(fmt::format("{:{}}{} {}", "", depth,
                          step.held_at.text.empty() ? "holds" : step.held_at.text,
                          step_text(text, step)));
    depth += 2;
  }
}

std::string_view nothing_found(const Why& why) {
  if (!why.incomplete_because.empty()) {
    return "no path was found, but the search is not complete";
  }
  return why.unreachable == why.targets
             ? "nothing holds it: the next full collection takes it (exact; see pygc garbage)"
             : "nothing else holds it: every way leads through what --not leaves out (exact)";
}

} // namespace

std::string why_json(const Subject& subject, const Why& why) {
  Json document = envelope("why", subject, why.incomplete_because);
  document["targets"] = why.targets;
  document["unreachable"] = why.unreachable;
  document["users"] = roots_json(why.users);
  document["more"] = why.more;
  document["notes"] = why.notes;
  document["merged"] = why.merged;
  document["nested"] = why.nested;
  document["excluded"] = why.excluded;
  document["paths"] = Json::array();
  for (const WhyPath& path : why.paths) {
    document["paths"].push_back(path_json(path));
  }
  return document_text(document);
}

std::string why_text(const Why& why, Style style) {
  Text text(style);
  for (const WhyPath& path : why.paths) {
    add_path(text, path, why.merged);
    text.blank();
  }
  if (why.paths.empty()) {
    text.line(nothing_found(why));
  } else if (why.more) {
    text.line(why.merged ? "there are further ways (-n N)" : "there may be further roots (-n N)");
  }
  if (why.nested != 0) {
    text.line(
        fmt::format("{} more are held through some of these objects (exact)", grouped(why.nested)));
  }
  if (why.targets > 1 && why.unreachable != 0) {
    text.line(fmt::format("{} of {} objects are unreachable (see pygc garbage)",
                          grouped(why.unreachable), grouped(why.targets)));
  }
  if (!why.users.empty()) {
    text.line("but in use it may be all the same, with a reference count that is too low:");
    add_roots(text, why.users);
  }
  text.notes(why.notes);
  text.incomplete(why.incomplete_because);
  return text.take();
}

} // namespace pygc::report
