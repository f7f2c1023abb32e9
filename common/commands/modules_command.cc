#include "common/commands/modules_command.h"

#include "common/analysis/facts/module_survey.h"
#include "common/commands/open_heap.h"
#include "common/commands/output_sink.h"
#include "common/commands/paragraph.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;
using analysis::ModuleRow;

std::string hex(Address address) {
  return fmt::format("{:#x}", address);
}

Json address_or_null(Address address) {
  return address == 0 ? Json(nullptr) : Json(hex(address));
}

Json row_json(const ModuleRow& row) {
  Json visits = Json::array();
  for (const analysis::ModuleVisit& visit : row.visits) {
    visits.push_back({{"object", hex(visit.object)},
                      {"summary", visit.summary},
                      {"slot", address_or_null(visit.slot)},
                      {"slot_name", visit.slot_name},
                      {"owner", analysis::owner_name(visit.owner)}});
  }
  return {{"address", hex(row.info.address)},
          {"name", row.info.name},
          {"interpreter", row.interpreter},
          {"file", row.file.empty() ? Json(nullptr) : Json(row.file)},
          {"definition", address_or_null(row.info.definition)},
          {"instances", row.instances},
          {"m_size", row.info.state_size},
          {"state", address_or_null(row.info.state)},
          {"multi_phase", row.info.multi_phase},
          {"m_traverse", address_or_null(row.info.traverse)},
          {"function", row.traverse_name.empty() ? Json(nullptr) : Json(row.traverse_name)},
          {"m_traverse_runs", row.info.traverses()},
          {"refcount", row.refcount},
          {"in_sys_modules", row.in_sys_modules},
          {"reachable", row.reachable ? Json(*row.reachable) : Json(nullptr)},
          {"visits", std::move(visits)}};
}

std::string row_text(const ModuleRow& row, unsigned width) {
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
  std::string text = paragraph(line, width);
  if (row.info.definition != 0) {
    text += paragraph(fmt::format("definition {:#x}, m_size {}, state {:#x}{}", row.info.definition,
                                  row.info.state_size, row.info.state,
                                  row.info.multi_phase ? ", multi-phase" : ""),
                      width, 2);
  }
  if (!row.file.empty()) {
    text += paragraph("file " + row.file, width, 2);
  }
  if (row.info.traverse != 0) {
    text += paragraph(fmt::format("m_traverse {}{}", row.traverse_name,
                                  row.info.traverses() ? "" : " (does not run: no state)"),
                      width, 2);
  }
  for (const analysis::ModuleVisit& visit : row.visits) {
    text += paragraph(fmt::format("visits {} through {} ({})", visit.summary,
                                  visit.slot_name.empty() ? hex(visit.slot) : visit.slot_name,
                                  analysis::owner_name(visit.owner)),
                      width, 4);
  }
  return text;
}

class ModulesCommand final : public Command {
public:
  const char* name() const override { return "modules"; }

  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_, true);
    app.add_flag("--all", all_,
                 "Show modules without a definition (of Python code) too; JSON has all");
  }

  Result<int> run(Surroundings& surroundings) override {
    const auto opened = open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    Context& context = *opened->context;
    auto tracer = context.tracer();
    const auto survey = [&] {
      return analysis::survey_modules({.image = context.image(),
                                       .reader = context.reader(),
                                       .heap = *opened->heap,
                                       .threads = context.target().threads(),
                                       .replayer = *opened->replayer,
                                       .tracer = tracer ? *tracer : nullptr});
    };
    auto rows = survey();
    if (!rows && tracer && options_.engine == Engine::native &&
        rows.error().kind == ErrorKind::replayer) {
      tracer = std::unexpected(rows.error()); // the rest can be told without it
      rows = survey();
    }
    if (!rows) {
      return std::unexpected(rows.error());
    }
    if (!tracer) {
      surroundings.session.diagnostics("pygc: visits are not known: " + tracer.error().reason +
                                       "\n");
    }
    context.tell_other_runtimes();
    const std::string text = options_.json ? json(*rows) : plain(*rows, surroundings.width);
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return tracer && opened->heap->corruptions.empty() ? status_clean : status_incomplete;
  }

private:
  static std::string json(const std::vector<ModuleRow>& rows) {
    Json modules = Json::array();
    for (const ModuleRow& row : rows) {
      modules.push_back(row_json(row));
    }
    const Json document = {{"schema", "pygc.modules/1"}, {"modules", std::move(modules)}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  std::string plain(const std::vector<ModuleRow>& rows, unsigned width) const {
    std::string text;
    std::size_t left_out = 0;
    for (const ModuleRow& row : rows) {
      if (all_ || row.info.definition != 0) {
        text += row_text(row, width);
      } else {
        ++left_out;
      }
    }
    return text + fmt::format("{} modules, {} of Python code not shown\n", rows.size(), left_out);
  }

  Options options_;
  bool all_ = false;
};

} // namespace

std::unique_ptr<Command> make_modules_command() {
  return std::make_unique<ModulesCommand>();
}

} // namespace pygc::commands
