// What may hold an object from outside of the collector's sight, in both views.
#pragma once

#include "common/analysis/explore/roots.h"
#include "common/report/kit/json.h"

#include <string>
#include <vector>

namespace pygc::report {

/// An array of `root` of the schemas; each is likely, no more.
Json roots_json(const std::vector<analysis::Root>& roots);
/// "frame 0x7f52a554c040: worker() in explore.py".
std::string root_text(const analysis::Root& root);

} // namespace pygc::report
