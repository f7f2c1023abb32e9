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
    text.paragraph(root_text(root) + " (likely)", 4);
  }
}

Json path_json(const WhyPath& path) {
  Json steps = Json::array();
  for (const PathStep& step : path.steps) {
    steps.push_back({{"object", object_json(step.object)},
                     {"name", text_or_null(step.held_at.text)},
                     {"slot", address_or_null(step.held_at.slot.value_or(SlotAddress()).at)}});
  }
  return {{"basis", "exact"},
          {"gc_refs", path.gc_refs},
          {"roots", roots_json(path.roots)},
          {"steps", std::move(steps)}};
}

void add_path(Text& text, const WhyPath& path) {
  const PathStep& first = path.steps.front();
  text.line(fmt::format(
      "{} {}   held by {} that {} no {} (exact)", first.object.summary, hex(first.object.address),
      path.gc_refs == 1 ? "1 reference"
                        : grouped(static_cast<std::uint64_t>(path.gc_refs)) + " references",
      path.gc_refs == 1 ? "is" : "are", path.gc_refs == 1 ? "visit" : "visits"));
  add_roots(text, path.roots);
  if (path.roots.empty()) {
    text.line("    unexplained: no word of memory was found that holds it (see pygc leaks)");
  }
  unsigned depth = 2;
  for (const PathStep& step : path.steps | std::views::drop(1)) {
    text.line(fmt::format("{:{}}{} {} {}", "", depth,
                          step.held_at.text.empty() ? "holds" : step.held_at.text,
                          step.object.summary, hex(step.object.address)));
    depth += 2;
  }
}

} // namespace

std::string why_json(const Subject& subject, const Why& why) {
  Json document = envelope("why", subject, why.incomplete_because);
  document["targets"] = why.targets;
  document["unreachable"] = why.unreachable;
  document["users"] = roots_json(why.users);
  document["more"] = why.more;
  document["notes"] = why.notes;
  document["paths"] = Json::array();
  for (const WhyPath& path : why.paths) {
    document["paths"].push_back(path_json(path));
  }
  return document_text(document);
}

std::string why_text(const Why& why, Style style) {
  Text text(style);
  for (const WhyPath& path : why.paths) {
    add_path(text, path);
    text.blank();
  }
  if (why.paths.empty()) {
    text.line(why.incomplete_because.empty()
                  ? "nothing holds it: the next full collection takes it (exact; see pygc garbage)"
                  : "no path was found, but the search is not complete");
  } else if (why.more) {
    text.line("there may be further roots (-n N)");
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
