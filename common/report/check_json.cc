#include "common/report/check_view.h"

#include "common/report/finding_text.h"
#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"

#include <algorithm>

namespace pygc::report {
namespace {

std::string sentences(const std::string& first, const std::string& second) {
  return second.empty() ? first : first + " " + second;
}

Json victim_json(const analysis::Victim& victim) {
  return {{"object", object_json(victim.object)},
          {"gc_refs", victim.gc_refs},
          {"visits", victim.visits},
          {"too_many", victim.too_many},
          {"visitors", visitors_json(victim.visitors)}};
}

/// What a diagnosis has besides the fact.
void add_diagnosis(const analysis::Finding& finding, Json& json) {
  if (const std::string_view basis = basis_of(finding); !basis.empty()) {
    json["basis"] = basis;
  }
  for (const analysis::Victim& victim : finding.victims) {
    json["victims"].push_back(victim_json(victim));
  }
  if (!finding.victims.empty()) {
    json["further_victims"] = finding.further_victims;
  }
  if (const auto& suspect = finding.suspect) {
    json["suspect"] = {{"function", suspect->function},
                       {"library", suspect->library},
                       {"visitors", suspect->visitors}};
  }
  for (const auto& [key, text] :
       {std::pair{"field", &finding.field}, std::pair{"effect", &finding.effect},
        std::pair{"fix", &finding.fix}}) {
    if (!text->empty()) {
      json[key] = *text;
    }
  }
  if (const auto& known = finding.known) {
    json["known"] = {{"id", known->id}, {"url", known->url}, {"note", known->note}};
  }
  json["next"] = finding.next;
}

Json coverage_json(const analysis::Coverage& coverage) {
  Json gaps = Json::array();
  for (const analysis::Coverage::Gap& gap : coverage.not_checked) {
    gaps.push_back({{"what", gap.what},
                    {"because", text_or_null(gap.why)},
                    {"command", text_or_null(gap.command)}});
  }
  return {{"checked", coverage.checked}, {"not_checked", std::move(gaps)}};
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
    json["visitors"] = visitors_json(finding.visitors);
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
  if (finding.kind == analysis::FindingKind::negative_gc_refs ||
      finding.cause != analysis::Cause::unknown) {
    json["cause"] = analysis::cause_name(finding.cause);
  }
  if (finding.occurrences > 1) {
    json["occurrences"] = finding.occurrences;
  }
  json["message"] = sentences(finding.message, finding.effect);
  add_diagnosis(finding, json);
  return json;
}

Json crash_json(const std::optional<analysis::CrashView>& crash) {
  if (!crash) {
    return nullptr;
  }
  return {{"signal", crash->signal},
          {"thread", crash->tid},
          {"doing", text_or_null(crash->doing)},
          {"function", text_or_null(crash->function)},
          {"object", object_json(crash->object)},
          {"object_state", text_or_null(crash->object_state)},
          {"container", object_json(crash->container)},
          {"caller", text_or_null(crash->caller)},
          {"caller_module", text_or_null(crash->caller_module)},
          {"caller_line", text_or_null(crash->caller_line)},
          {"called", text_or_null(crash->called)},
          {"called_module", text_or_null(crash->called_module)},
          {"called_line", text_or_null(crash->called_line)},
          {"stack_overflow", crash->stack_overflow},
          {"repeated", crash->repeated},
          {"stack", crash->stack}};
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

} // namespace

std::string_view verdict_of(const analysis::CheckReport& report) {
  const auto has = [&](analysis::Severity severity) {
    return std::ranges::find(report.findings, severity, &analysis::Finding::severity) !=
           report.findings.end();
  };
  return has(analysis::Severity::error)     ? "findings"
         : !report.complete                 ? "incomplete"
         : has(analysis::Severity::warning) ? "warnings"
                                            : "clean";
}

std::string check_json(const Subject& subject, const analysis::CheckReport& report,
                       const CheckRun& run) {
  const analysis::CollectionState& collection = report.collection;
  Json findings = Json::array();
  for (const analysis::Finding& finding : report.findings) {
    findings.push_back(finding_json(finding));
  }
  Json document = envelope("check", subject, report.incomplete_because);
  document["complete"] = report.complete;
  document["collection"] = {
      {"in_progress", collection.in_progress},
      {"interpreter", or_null(collection.interpreter)},
      {"phase", text_or_null(std::string(cpython::phase_name(collection.phase)))},
      {"generation", text_or_null(collection.generation)},
      {"container", object_json(collection.container)},
      {"container_index", or_null(collection.container_index)},
      {"victim", object_json(collection.victim)}};
  document["crash"] = crash_json(report.crash);
  document["interpreters"] = interpreters_json(report);
  document["objects"] = {{"walked", report.objects.walked},
                         {"traversed", report.objects.traversed},
                         {"visits", report.objects.visits},
                         {"immortal", report.objects.immortal},
                         {"frozen", report.objects.frozen},
                         {"unreadable", report.objects.unreadable},
                         {"not_traversed", report.objects.not_traversed},
                         {"traced", report.objects.traced}};
  document["engine"] = run.engine;
  document["engines"] = engines_json(report.engines);
  document["seconds"] = {{"total", run.seconds}, {"replay", report.replay_seconds}};
  document["notes"] = report.notes;
  document["findings"] = std::move(findings);
  document["coverage"] = coverage_json(report.coverage);
  document["verdict"] = verdict_of(report);
  return document_text(document);
}

} // namespace pygc::report
