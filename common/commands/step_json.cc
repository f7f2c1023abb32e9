#include "common/commands/step_view.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

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
      list.push_back({{"address", fmt::format("{:#x}", one.object)}, {"stored", one.stored}});
    }
    json["objects"] = std::move(list);
  }
  return json;
}

} // namespace

Json object_json(const analysis::ObjectView& object) {
  return {{"address", fmt::format("{:#x}", object.address)},
          {"type", object.type},
          {"summary", object.summary},
          {"refcount", object.refcount}};
}

std::string step_json(const analysis::StepReport& report, const target::Info& target) {
  const Json document = {{"schema", "pygc.step/1"},
                         {"target", {{"pid", target.pid}}},
                         {"collection",
                          {{"in_progress", report.in_progress},
                           {"interpreter", report.interpreter ? Json(*report.interpreter) : Json()},
                           {"generation", text_or_null(report.generation)},
                           {"phase", text_or_null(report.phase)}}},
                         {"reached", report.reached ? Json(*report.reached) : Json()},
                         {"subtract_refs", report.located ? located_json(report) : Json()},
                         {"frames", report.frames}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace pygc::commands
