#include "common/commands/doctor_command.h"

#include "common/commands/doctor_report.h"
#include "common/commands/output_sink.h"
#include "common/commands/paragraph.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;

std::string as_json(const DoctorReport& report) {
  Json facts = Json::object();
  for (const Fact& fact : report.facts) {
    facts[fact.name] = fact.value;
  }
  Json lacks = Json::array();
  for (const Lack& lack : report.lacks) {
    lacks.push_back({{"what", lack.what},
                     {"effect", lack.effect},
                     {"remedy", lack.remedy},
                     {"fatal", lack.fatal}});
  }
  const Json document = {
      {"schema", "pygc.doctor/1"}, {"facts", std::move(facts)}, {"lacks", std::move(lacks)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_text(const DoctorReport& report, unsigned width) {
  std::string text;
  for (const Fact& fact : report.facts) {
    text += fmt::format("{:<26} {}\n", fact.name, fact.value.empty() ? "unknown" : fact.value);
  }
  for (const Lack& lack : report.lacks) {
    text += '\n' + paragraph((lack.fatal ? "fatal: " : "lacks: ") + lack.what, width);
    text += paragraph("effect: " + lack.effect, width, 2);
    text += paragraph("mend: " + lack.remedy, width, 2);
  }
  if (report.lacks.empty()) {
    text += "\nnothing is lacking\n";
  }
  return text;
}

class DoctorCommand final : public Command {
public:
  const char* name() const override { return "doctor"; }

  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_output_options(app, options_, true);
  }

  Result<int> run(Surroundings& surroundings) override {
    auto opened = Context::open(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    const DoctorReport report = examine(**opened, options_);
    if (auto delivered =
            deliver(surroundings.session, options_.output,
                    options_.json ? as_json(report) : as_text(report, surroundings.width));
        !delivered) {
      return std::unexpected(delivered.error());
    }
    if (std::ranges::any_of(report.lacks, &Lack::fatal)) {
      return status_error;
    }
    return report.lacks.empty() ? status_clean : status_incomplete;
  }

private:
  Options options_;
};

} // namespace

std::unique_ptr<Command> make_doctor_command() {
  return std::make_unique<DoctorCommand>();
}

} // namespace pygc::commands
