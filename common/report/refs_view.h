// The two views of referrers and referents.
#pragma once

#include "common/analysis/explore/reference_tree.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.refs/1.
std::string refs_json(const Subject& subject, const analysis::ReferenceTree& tree);
std::string refs_text(const analysis::ReferenceTree& tree, Style style);

} // namespace pygc::report
