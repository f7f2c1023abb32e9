#include "common/commands/audit_view.h"

#include "common/base/numbers.h"
#include "common/commands/paragraph.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;
using analysis::AuditedFunction;
using analysis::Violation;

constexpr std::size_t types_shown = 5;

std::string hex(Address address) {
  return fmt::format("{:#x}", address);
}

std::string_view certainty(const Violation& violation) {
  return violation.proven ? "proven" : "likely";
}

Json violation_json(const Violation& violation) {
  Json json = {{"rule", analysis::rule_name(violation.rule)},
               {"certainty", certainty(violation)},
               {"type", violation.type},
               {"instances", violation.instances},
               {"object",
                {{"address", hex(violation.object.address)},
                 {"type", violation.object.type},
                 {"summary", violation.object.summary},
                 {"refcount", violation.object.refcount}}}};
  if (violation.slot) {
    json["slot"] = hex(*violation.slot);
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
          {"library", function.library.empty() ? Json(nullptr) : Json(function.library)},
          {"module", function.module.empty() ? Json(nullptr) : Json(function.module)},
          {"types", function.types},
          {"instances", function.instances},
          {"violations", std::move(violations)}};
}

std::string function_text(const AuditedFunction& function, unsigned width) {
  const std::size_t shown = std::min(function.types.size(), types_shown);
  std::string types = fmt::format(
      "{}", fmt::join(function.types.begin(),
                      function.types.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < function.types.size()) {
    types += fmt::format(" and {} more", function.types.size() - shown);
  }
  std::string text = paragraph(fmt::format("{} ({}) of {}: {} traced", function.name,
                                           function.of_module ? "m_traverse" : "tp_traverse", types,
                                           grouped(function.instances)),
                               width, 2);
  for (const Violation& violation : function.violations) {
    text += paragraph(fmt::format("{}, {}: {} (in {} instance{}, such as {} at {:#x})",
                                  analysis::rule_name(violation.rule), certainty(violation),
                                  violation.message, grouped(violation.instances),
                                  violation.instances == 1 ? "" : "s", violation.object.summary,
                                  violation.object.address),
                      width, 4);
  }
  return text;
}

} // namespace

bool has_proven_violation(const analysis::AuditReport& report) {
  return std::ranges::any_of(report.functions, [](const AuditedFunction& function) {
    return std::ranges::any_of(function.violations, &Violation::proven);
  });
}

std::string audit_json(const Context& context, const analysis::AuditReport& report) {
  Json functions = Json::array();
  for (const AuditedFunction& function : report.functions) {
    functions.push_back(function_json(function));
  }
  const cpython::Runtime& runtime = context.runtime();
  const Json document = {{"schema", "pygc.audit/1"},
                         {"python",
                          {{"version", runtime.version.text()},
                           {"debug", runtime.version.debug},
                           {"layout", cpython::layout_source_name(runtime.layout_source)}}},
                         {"traced", report.traced},
                         {"functions", std::move(functions)},
                         {"complete", report.incomplete_because.empty()},
                         {"incomplete_because", report.incomplete_because},
                         {"notes", report.notes}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string audit_text(const analysis::AuditReport& report, unsigned width, bool all) {
  std::string text;
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
      library = function.library;
      text += (text.empty() ? "" : "\n") + (library.empty() ? "no library" : library) +
              (function.module.empty() ? "" : " (" + function.module + ")") + "\n";
    }
    text += function_text(function, width);
  }
  text += text.empty() ? "" : "\n";
  for (const std::string& note : report.notes) {
    text += paragraph("note: " + note, width);
  }
  for (const std::string& why : report.incomplete_because) {
    text += paragraph("incomplete: " + why, width);
  }
  return text +
         paragraph(fmt::format("{} functions, {} traversals traced: {} violations proven, "
                               "{} likely{}",
                               grouped(report.functions.size()), grouped(report.traced), proven,
                               likely, report.incomplete_because.empty() ? "" : "; incomplete"),
                   width);
}

} // namespace pygc::commands
