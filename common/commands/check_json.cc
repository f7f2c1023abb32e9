#include "common/commands/check_view.h"

#include "common/commands/status.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(Address address) {
  return fmt::format("{:#x}", address);
}

template <class T> Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json object_json(const std::optional<analysis::ObjectView>& object) {
  if (!object) {
    return nullptr;
  }
  return {{"address", hex(object->address)},
          {"type", object->type},
          {"summary", object->summary},
          {"refcount", object->refcount}};
}

Json visitor_json(const analysis::Visitor& visitor) {
  Json json = {{"container", hex(visitor.container)},
               {"type", visitor.type},
               {"name", visitor.name},
               {"summary", visitor.summary},
               {"function", visitor.function},
               {"visits", visitor.visits}};
  if (visitor.slot) {
    json["slot"] = hex(*visitor.slot);
    json["slot_name"] = visitor.slot_name;
    json["owner"] = analysis::owner_name(visitor.owner);
  }
  return json;
}

Json finding_json(const analysis::Finding& finding) {
  Json json = {{"kind", analysis::finding_kind_name(finding.kind)},
               {"severity", analysis::severity_name(finding.severity)},
               {"interpreter", finding.interpreter},
               {"object", object_json(finding.object)}};
  if (finding.gc_refs) {
    json["gc_refs"] = *finding.gc_refs;
  }
  if (finding.stored) {
    json["stored_gc_refs"] = *finding.stored;
  }
  if (finding.visits) {
    json["visits"] = *finding.visits;
  }
  if (finding.unexplained_visits) {
    json["unexplained_visits"] = *finding.unexplained_visits;
  }
  if (!finding.visitors.empty()) {
    for (const analysis::Visitor& visitor : finding.visitors) {
      json["visitors"].push_back(visitor_json(visitor));
    }
  }
  if (!finding.function.empty()) {
    json["function"] = finding.function;
  }
  if (finding.pc) {
    json["pc"] = hex(*finding.pc);
  }
  if (finding.address) {
    json["address"] = hex(*finding.address);
  }
  if (finding.kind == analysis::FindingKind::negative_gc_refs) {
    json["cause"] = analysis::cause_name(finding.cause);
  }
  if (finding.occurrences > 1) {
    json["occurrences"] = finding.occurrences;
  }
  json["message"] = finding.message;
  return json;
}

Json engines_json(const std::optional<analysis::EngineComparison>& engines) {
  if (!engines) {
    return nullptr;
  }
  return {{"compared", engines->objects},
          {"differences", engines->differences},
          {"not_compared", engines->not_compared}};
}

Json interpreters_json(const analysis::CheckReport& report) {
  Json list = Json::array();
  for (const analysis::InterpreterView& interpreter : report.interpreters) {
    Json generations = Json::array();
    for (const analysis::GenerationView& generation : interpreter.generations) {
      generations.push_back({{"name", generation.name},
                             {"address", hex(generation.address)},
                             {"count", generation.count},
                             {"threshold", generation.threshold},
                             {"objects", generation.objects}});
    }
    list.push_back({{"id", interpreter.id},
                    {"address", hex(interpreter.address)},
                    {"generations", std::move(generations)}});
  }
  return list;
}

std::string_view kind_name(target::Kind kind) {
  switch (kind) {
  case target::Kind::core:
    return "core";
  case target::Kind::live:
    return "live";
  case target::Kind::remote:
    return "remote";
  }
  return "core";
}

} // namespace

std::string verdict_of(const analysis::CheckReport& report) {
  const bool error = std::ranges::any_of(report.findings, [](const analysis::Finding& finding) {
    return finding.severity == analysis::Severity::error;
  });
  if (error) {
    return "findings";
  }
  if (!report.complete) {
    return "incomplete";
  }
  return report.findings.empty() ? "clean" : "findings";
}

int status_of(const analysis::CheckReport& report) {
  const std::string verdict = verdict_of(report);
  if (verdict == "incomplete") {
    return status_incomplete;
  }
  const bool error = std::ranges::any_of(report.findings, [](const analysis::Finding& finding) {
    return finding.severity == analysis::Severity::error;
  });
  return error ? status_findings : status_clean;
}

std::string check_json(const Context& context, const analysis::CheckReport& report) {
  const target::Info& info = context.target().info();
  const auto traffic = context.target().traffic();
  const cpython::Runtime& runtime = context.runtime();
  const analysis::CollectionState& collection = report.collection;
  Json findings = Json::array();
  for (const analysis::Finding& finding : report.findings) {
    findings.push_back(finding_json(finding));
  }
  const Json document = {
      {"schema", "pygc.check/1"},
      {"target",
       {{"kind", kind_name(info.kind)},
        {"pid", info.pid},
        {"core", text_or_null(info.core_path)},
        {"executable", text_or_null(info.executable_path)},
        {"stopped_seconds", or_null(info.stopped_seconds)},
        {"fetched_bytes", traffic ? Json(traffic->fetched) : Json(nullptr)}}},
      {"python",
       {{"version", runtime.version.text()},
        {"hexversion", runtime.version.hexversion},
        {"debug", runtime.version.debug},
        {"free_threaded", runtime.version.free_threaded},
        {"layout", cpython::layout_source_name(runtime.layout_source)}}},
      {"collection",
       {{"in_progress", collection.in_progress},
        {"interpreter", or_null(collection.interpreter)},
        {"phase", text_or_null(std::string(analysis::phase_name(collection.phase)))},
        {"generation", text_or_null(collection.generation)},
        {"container", object_json(collection.container)},
        {"container_index", or_null(collection.container_index)},
        {"victim", object_json(collection.victim)}}},
      {"interpreters", interpreters_json(report)},
      {"objects",
       {{"walked", report.objects.walked},
        {"traversed", report.objects.traversed},
        {"visits", report.objects.visits},
        {"immortal", report.objects.immortal},
        {"frozen", report.objects.frozen},
        {"unreadable", report.objects.unreadable},
        {"not_traversed", report.objects.not_traversed},
        {"traced", report.objects.traced}}},
      {"complete", report.complete},
      {"incomplete_because", report.incomplete_because},
      {"engine", engine_name(context.options().engine)},
      {"engines", engines_json(report.engines)},
      {"seconds", {{"total", context.seconds()}, {"replay", report.replay_seconds}}},
      {"notes", report.notes},
      {"findings", std::move(findings)},
      {"verdict", verdict_of(report)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace pygc::commands
