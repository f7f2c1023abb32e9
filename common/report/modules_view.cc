#include "common/report/modules_view.h"

#include "common/report/kit/envelope.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::ModuleRow;

Json row_json(const ModuleRow& row) {
  Json visits = Json::array();
  for (const analysis::ModuleVisit& visit : row.visits) {
    visits.push_back({{"object", hex(visit.object)},
                      {"summary", visit.summary},
                      {"slot", address_or_null(visit.slot.at)},
                      {"slot_name", visit.slot_name},
                      {"owner", analysis::owner_name(visit.owner)}});
  }
  return {{"address", hex(row.info.address)},
          {"name", row.info.name},
          {"interpreter", row.interpreter},
          {"file", text_or_null(row.file)},
          {"definition", address_or_null(row.info.definition)},
          {"instances", row.instances},
          {"m_size", row.info.state_size},
          {"state", address_or_null(row.info.state)},
          {"multi_phase", row.info.multi_phase},
          {"m_traverse", address_or_null(row.info.traverse)},
          {"function", text_or_null(row.traverse_name)},
          {"m_traverse_runs", row.info.traverses()},
          {"refcount", row.refcount},
          {"in_sys_modules", row.in_sys_modules},
          {"reachable", or_null(row.reachable)},
          {"visits", std::move(visits)}};
}

void add_row(Text& text, const ModuleRow& row) {
  std::string line =
      fmt::format("{} at {:#x}: refcount {}", row.info.name.empty() ? "?" : row.info.name,
                  row.info.address, row.refcount);
  if (!row.in_sys_modules) {
    line += ", not in sys.modules";
  }
  if (row.reachable && !*row.reachable) {
    line += ", garbage";
  }
  if (row.instances > 1) {
    line += fmt::format(", {} instances of one definition", row.instances);
  }
  text.paragraph(line);
  if (row.info.definition != 0) {
    text.paragraph(fmt::format("definition {:#x}, m_size {}, state {:#x}{}", row.info.definition,
                               row.info.state_size, row.info.state,
                               row.info.multi_phase ? ", multi-phase" : ""),
                   2);
  }
  if (!row.file.empty()) {
    text.paragraph("file " + row.file, 2);
  }
  if (row.info.traverse != 0) {
    text.paragraph(fmt::format("m_traverse {}{}", row.traverse_name,
                               row.info.traverses() ? "" : " (does not run: no state)"),
                   2);
  }
  for (const analysis::ModuleVisit& visit : row.visits) {
    text.paragraph(fmt::format("visits {} through {} ({})", visit.summary,
                               visit.slot_name.empty() ? hex(visit.slot.at) : visit.slot_name,
                               analysis::owner_name(visit.owner)),
                   4);
  }
}

} // namespace

std::string modules_json(const Subject& subject, const std::vector<ModuleRow>& rows,
                         const std::vector<std::string>& incomplete_because) {
  Json modules = Json::array();
  for (const ModuleRow& row : rows) {
    modules.push_back(row_json(row));
  }
  Json document = envelope("modules", subject, incomplete_because);
  document["modules"] = std::move(modules);
  return document_text(document);
}

std::string modules_text(const std::vector<ModuleRow>& rows, Style style, bool all) {
  Text text(style);
  std::size_t left_out = 0;
  for (const ModuleRow& row : rows) {
    if (all || row.info.definition != 0) {
      add_row(text, row);
    } else {
      ++left_out;
    }
  }
  text.line(fmt::format("{} modules, {} of Python code not shown", rows.size(), left_out));
  return text.take();
}

} // namespace pygc::report
