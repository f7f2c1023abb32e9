// `pygc generations`: the collector's lists, their counts and what is on them.
#include "common/analysis/facts/generation_survey.h"
#include "common/base/numbers.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/generations_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class GenerationsCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_option("--top", top_, "Types shown for each generation (default 5)")
        ->check(CLI::Range(0, 10000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = **opened;
    const auto heap = context.heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    context.tell_other_runtimes();
    const auto survey = analysis::survey_generations(context.reader(), **heap, top_);
    const std::string text =
        options_.json ? report::generations_json(context.subject(), survey)
                      : report::generations_text(survey, surroundings.style(options_.output));
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return survey.incomplete_because.empty() ? status_clean : status_incomplete;
  }

private:
  session::Options options_;
  std::size_t top_ = 5;
};

const Registration generations_registration({
    .place = 30,
    .name = "generations",
    .summary = "Show the collector's lists of objects, counts and thresholds",
    .help = R"(Examples:
  pygc generations
  pygc generations --help  (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<GenerationsCommand>,
});

} // namespace

} // namespace pygc::commands
