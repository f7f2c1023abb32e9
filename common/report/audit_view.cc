#include "common/report/audit_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/object_json.h"

#include <algorithm>
#include <fmt/format.h>

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
               {"types", violation.types},
               {"type_count", violation.type_count},
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
  json["next"] = violation.next;
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

/// "app.A, app.B (12 of that name) and 3 more": a family of types may have one name.
std::string types_text(const std::vector<std::string>& types) {
  std::vector<std::pair<std::string, std::uint64_t>> names; // and how many types have it
  for (const std::string& type : types) {
    const auto known =
        std::ranges::find(names, type, &std::pair<std::string, std::uint64_t>::first);
    if (known == names.end()) {
      names.emplace_back(type, 1);
    } else {
      ++known->second;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), types_shown); ++i) {
    const auto& [name, count] = names[i];
    text +=
        (i == 0 ? "" : ", ") + name + (count == 1 ? "" : " (" + grouped(count) + " of that name)");
  }
  return names.size() <= types_shown
             ? text
             : text + fmt::format(" and {} more", names.size() - types_shown);
}

void add_function(Text& text, const AuditedFunction& function) {
  text.paragraph(fmt::format("{} ({}) of {}: {} traced", function.name,
                             function.of_module ? "m_traverse" : "tp_traverse",
                             types_text(function.types), grouped(function.instances)),
                 2);
  for (const Violation& violation : function.violations) {
    text.paragraph(fmt::format("{}, {}: {} (in {}, such as {} at {:#x})",
                               analysis::rule_name(violation.rule), certainty(violation),
                               violation.message, counted(violation.instances, "instance"),
                               violation.object.summary, violation.object.address),
                   4);
    if (!violation.next.empty()) {
      text.paragraph("next: " + violation.next.front(), 6);
    }
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
      text.paragraph((library.empty() ? "no library" : library) +
                     (function.module.empty() ? "" : " (" + function.module + ")"));
    }
    add_function(text, function);
  }
  if (!text.empty()) {
    text.blank();
  }
  text.notes(report.notes);
  text.incomplete(report.incomplete_because);
  text.paragraph(fmt::format("{}, {} traced: {} proven, {} likely{}",
                             counted(report.functions.size(), "function"),
                             counted(report.traced, "traversal"), counted(proven, "violation"),
                             likely, report.incomplete_because.empty() ? "" : "; incomplete"));
  return text.take();
}

} // namespace pygc::report
