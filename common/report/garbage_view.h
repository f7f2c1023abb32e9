// The two views of what a collection would find unreachable.
#pragma once

#include "common/analysis/explore/garbage.h"
#include "common/report/kit/subject.h"
#include "common/report/kit/text.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.garbage/1; `objects`: with each unreachable object.
std::string garbage_json(const Subject& subject, const analysis::Garbage& garbage, bool objects);

/// Totals, cycles and types (at most `limit` lines of each); `objects`: and a line an object.
std::string garbage_text(const analysis::Garbage& garbage, Style style, std::size_t limit,
                         bool objects);

} // namespace pygc::report
