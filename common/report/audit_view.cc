#include "common/report/audit_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pygc::report {
namespace {

using analysis::AuditedFunction;
using analysis::Violation;

constexpr std::size_t types_shown = 5;

std::string_view certainty(const Violation& violation) {
  return violation.proven ? "proven" : "likely";
}

Json violation_json(const Violation& violation) {
  Json json = {{"rule", analysis::rule_name(violation.rule)},
               {"certainty", certainty(violation)},
               {"type", violation.type},
               {"instances", violation.instances},
               {"object", object_json(violation.object)}};
  if (violation.slot) {
    json["slot"] = hex(violation.slot->at);
    json["slot_name"] = violation.slot_name;
    json["owner"] = analysis::owner_name(violation.owner);
  }
  if (violation.pc) {
    json["pc"] = hex(*violation.pc);
  }
  json["message"] = violation.message;
  return json;
}

Json function_json(const AuditedFunction& function) {
  Json violations = Json::array();
  for (const Violation& violation : function.violations) {
    violations.push_back(violation_json(violation));
  }
  return {{"function", function.name},
          {"address", hex(function.address)},
          {"kind", function.of_module ? "m_traverse" : "tp_traverse"},
          {"library", text_or_null(function.library)},
          {"module", text_or_null(function.module)},
          {"types", function.types},
          {"instances", function.instances},
          {"violations", std::move(violations)}};
}

void add_function(Text& text, const AuditedFunction& function) {
  const std::size_t shown = std::min(function.types.size(), types_shown);
  std::string types = fmt::format(
      "{}", fmt::join(function.types.begin(),
                      function.types.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < function.types.size()) {
    types += fmt::format(" and {} more", function.types.size() - shown);
  }
  text.paragraph(fmt::format("{} ({}) of {}: {} traced", function.name,
                             function.of_module ? "m_traverse" : "tp_traverse", types,
                             grouped(function.instances)),
                 2);
  for (const Violation& violation : function.violations) {
    text.paragraph(fmt::format("{}, {}: {} (in {} instance{}, such as {} at {:#x})",
                               analysis::rule_name(violation.rule), certainty(violation),
                               violation.message, grouped(violation.instances),
                               violation.instances == 1 ? "" : "s", violation.object.summary,
                               violation.object.address),
                   4);
  }
}

} // namespace

std::string audit_json(const Subject& subject, const analysis::AuditReport& report) {
  Json functions = Json::array();
  for (const AuditedFunction& function : report.functions) {
    functions.push_back(function_json(function));
  }
  Json document = envelope("audit", subject, report.incomplete_because);
  document["traced"] = report.traced;
  document["functions"] = std::move(functions);
  document["notes"] = report.notes;
  return document_text(document);
}

std::string audit_text(const analysis::AuditReport& report, Style style, bool all) {
  Text text(style);
  std::string library;
  std::size_t proven = 0;
  std::size_t likely = 0;
  for (const AuditedFunction& function : report.functions) {
    for (const Violation& violation : function.violations) {
      ++(violation.proven ? proven : likely);
    }
    if (!all && function.violations.empty()) {
      continue;
    }
    if (text.empty() || function.library != library) {
      if (!text.empty()) {
        text.blank();
      }
      library = function.library;
      text.line((library.empty() ? "no library" : library) +
                (function.module.empty() ? "" : " (" + function.module + ")"));
    }
    add_function(text, function);
  }
  if (!text.empty()) {
    text.blank();
  }
  text.notes(report.notes);
  text.incomplete(report.incomplete_because);
  text.paragraph(
      fmt::format("{} functions, {} traversals traced: {} violations proven, {} likely{}",
                  grouped(report.functions.size()), grouped(report.traced), proven, likely,
                  report.incomplete_because.empty() ? "" : "; incomplete"));
  return text.take();
}

} // namespace pygc::report
