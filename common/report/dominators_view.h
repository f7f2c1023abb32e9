// The two views of what keeps the most objects alive.
#pragma once

#include "common/analysis/explore/dominators.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.dominators/1.
std::string dominators_json(const Subject& subject, const analysis::DominatorSurvey& survey);
/// At most `limit` types of what one object retains.
std::string dominators_text(const analysis::DominatorSurvey& survey, Style style,
                            std::size_t limit);

} // namespace pygc::report
