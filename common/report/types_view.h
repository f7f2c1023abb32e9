// The two views of the tracked objects by type.
#pragma once

#include "common/analysis/explore/type_survey.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.types/1.
std::string types_json(const Subject& subject, const analysis::TypeSurvey& survey);
/// At most `limit` types.
std::string types_text(const analysis::TypeSurvey& survey, Style style, std::size_t limit);

} // namespace pygc::report
