// The JSON view of a layout table; the table file itself is the other one.
#pragma once

#include "common/report/kit/subject.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.layout/1, with the table that the text of a table file holds.
std::string layout_json(const Subject& subject, const std::string& table);

} // namespace pygc::report
