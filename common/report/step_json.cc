#include "common/report/step_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"

namespace pygc::report {
namespace {

Json container_json(const std::optional<analysis::StepContainer>& container) {
  if (!container) {
    return {};
  }
  Json json = {{"index", container->index}};
  json.update(object_json(container->object));
  json["function"] = container->function;
  return json;
}

Json visit_json(const std::optional<analysis::StepVisit>& visit) {
  if (!visit) {
    return {};
  }
  Json json = object_json(visit->object);
  json["gc_refs"] = visit->gc_refs;
  return json;
}

Json changes_json(const analysis::StepReport& report) {
  Json list = Json::array();
  for (const analysis::StepChange& change : report.changed) {
    Json one = object_json(change.object);
    one["before"] = change.before;
    one["stored"] = change.stored;
    list.push_back(std::move(one));
  }
  return list;
}

Json differences_json(const analysis::StepReport& report) {
  Json list = Json::array();
  for (const analysis::StepDifference& difference : report.differences) {
    Json one = object_json(difference.object);
    one["stored"] = difference.stored;
    one["highest"] = difference.highest;
    one["lowest"] = difference.lowest;
    list.push_back(std::move(one));
  }
  return list;
}

Json located_json(const analysis::StepReport& report) {
  Json json = {{"containers", report.containers},
               {"traversed", report.traversed},
               {"inside", report.inside},
               {"container", container_json(report.container)},
               {"next", container_json(report.next)},
               {"visits", {{"made", report.visits_made}, {"all", report.visits_all}}},
               {"last_visit", visit_json(report.last_visit)},
               {"next_visit", visit_json(report.next_visit)},
               {"changed", changes_json(report)},
               {"changed_count", report.changed_count},
               {"differences", differences_json(report)},
               {"difference_count", report.difference_count}};
  if (!report.references.empty()) {
    Json list = Json::array();
    for (const analysis::StepReferences& one : report.references) {
      list.push_back({{"address", hex(one.object)}, {"stored", one.stored}});
    }
    json["objects"] = std::move(list);
  }
  return json;
}

} // namespace

std::vector<std::string> shortfalls(const analysis::StepReport& report) {
  std::vector<std::string> sentences;
  if (report.in_progress && !report.located) {
    sentences.emplace_back("where in the collection the process is cannot be told");
  }
  if (report.reached == false) {
    sentences.emplace_back("the process is not where it was to go");
  }
  return sentences;
}

std::string step_json(const Subject& subject, const analysis::StepReport& report) {
  Json document = envelope("step", subject, shortfalls(report));
  document["collection"] = {{"in_progress", report.in_progress},
                            {"interpreter", or_null(report.interpreter)},
                            {"generation", text_or_null(report.generation)},
                            {"phase", text_or_null(report.phase)}};
  document["reached"] = or_null(report.reached);
  document["subtract_refs"] = report.located ? located_json(report) : Json();
  document["frames"] = report.frames;
  return document_text(document);
}

} // namespace pygc::report
