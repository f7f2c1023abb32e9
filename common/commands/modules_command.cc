// `pygc modules`: every module object, its definition and what its m_traverse visits.
#include "common/analysis/facts/module_survey.h"
#include "common/analysis/facts/replay_lacks.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/modules_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

class ModulesCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_flag("--all", all_,
                 "Show modules without a definition (of Python code) too; JSON has all");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
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
    if (!rows && tracer && options_.engine == session::Engine::native &&
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
    std::vector<std::string> incomplete_because =
        analysis::ReplayLacks{.damaged = opened->heap->corruptions.size()}.sentences();
    if (!tracer) {
      incomplete_because.insert(incomplete_because.begin(),
                                "visits are not known: " + tracer.error().reason);
    }
    if (const std::size_t immortal = analysis::count_immortal_modules(context.reader())) {
      incomplete_because.push_back(fmt::format(
          "{} modules of sys.modules are immortal since a thread was started: no collection looks "
          "at them, and they are not listed",
          immortal));
      surroundings.session.diagnostics("pygc: " + incomplete_because.back() + "\n");
    }
    const std::string text =
        options_.json ? report::modules_json(context.subject(), *rows, incomplete_because)
                      : report::modules_text(*rows, surroundings.style(options_.output), all_);
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return incomplete_because.empty() ? status_clean : status_incomplete;
  }

private:
  session::Options options_;
  bool all_ = false;
};

const Registration modules_registration({
    .place = 50,
    .name = "modules",
    .summary = "Show module instances, their definitions and what m_traverse visits",
    .help = R"(Examples:
  pygc modules
  pygc modules --json

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<ModulesCommand>,
});

} // namespace

} // namespace pygc::commands
