// The two views of one object.
#pragma once

#include "common/analysis/explore/object_facts.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.object/1.
std::string object_facts_json(const Subject& subject, const analysis::ObjectFacts& facts);
std::string object_facts_text(const analysis::ObjectFacts& facts, Style style);

} // namespace pygc::report
