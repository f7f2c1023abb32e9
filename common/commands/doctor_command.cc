// `pygc doctor`: what pygc found of a target, what it lacks, and the command that mends each lack.
#include "common/commands/examination.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/doctor_view.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pygc::commands {
namespace {

class DoctorCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_output_options(app, options_);
  }

  Result<int> run(session::Surroundings& surroundings) override {
    auto opened = session::Context::open(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    const analysis::DoctorReport report = examine(**opened, options_);
    const std::string text = options_.json
                                 ? report::doctor_json((*opened)->subject(), report)
                                 : report::doctor_text(report, surroundings.style(options_.output));
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    if (std::ranges::any_of(report.lacks, &analysis::Lack::fatal)) {
      return status_error;
    }
    return report.lacks.empty() ? status_clean : status_incomplete;
  }

private:
  session::Options options_;
};

const Registration doctor_registration({
    .place = 90,
    .name = "doctor",
    .summary = "Show what pygc found of the target, what it lacks, and what mends it",
    .help = R"(Examples:
  pygc doctor
  pygc doctor --json

Status: 0 nothing is lacking, 2 a check is not possible, 3 results are degraded.)",
    .make = make<DoctorCommand>,
});

} // namespace

} // namespace pygc::commands
