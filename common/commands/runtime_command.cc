// `pygc runtime`: version, interpreters, collector state and faulthandler's state.
#include "common/analysis/facts/runtime_survey.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/runtime_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class RuntimeCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_output_options(app, options_);
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    const session::Context& context = **opened;
    std::vector<analysis::RuntimeView> runtimes;
    for (const cpython::Runtime& runtime : context.runtimes()) {
      runtimes.push_back(analysis::survey_runtime(context.image(), runtime));
    }
    const std::string text =
        options_.json ? report::runtime_json(context.subject(), runtimes)
                      : report::runtime_text(runtimes, surroundings.style(options_.output));
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return status_clean;
  }

private:
  session::Options options_;
};

const Registration runtime_registration({
    .place = 40,
    .name = "runtime",
    .summary = "Show the version, the interpreters and the collector's state",
    .help = R"(Examples:
  pygc runtime
  pygc runtime --help      (all options)

Status: 0 done, 2 usage or target error.)",
    .make = make<RuntimeCommand>,
});

} // namespace

} // namespace pygc::commands
