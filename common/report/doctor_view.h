// The two views of what `pygc doctor` found.
#pragma once

#include "common/analysis/facts/doctor_report.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.doctor/1. What is lacking is why results are incomplete.
std::string doctor_json(const Subject& subject, const analysis::DoctorReport& report);

std::string doctor_text(const analysis::DoctorReport& report, Style style);

} // namespace pygc::report
