// A StepReport as text for people and as a JSON document.
#pragma once

#include "common/analysis/step_report.h"
#include "common/target/target.h"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pygc::commands {

std::string step_text(const analysis::StepReport& report, unsigned width);
std::string step_json(const analysis::StepReport& report, const target::Info& target);

nlohmann::ordered_json object_json(const analysis::ObjectView& object);

} // namespace pygc::commands
