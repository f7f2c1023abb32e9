// The two views of the collectors' lists.
#pragma once

#include "common/analysis/facts/generation_survey.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.generations/1.
std::string generations_json(const Subject& subject, const analysis::GenerationSurvey& survey);

std::string generations_text(const analysis::GenerationSurvey& survey, Style style);

} // namespace pygc::report
