// What every JSON document of pygc begins with, whatever the command (docs/json.md).
#pragma once

#include "common/report/kit/json.h"
#include "common/report/kit/subject.h"

#include <string>
#include <string_view>
#include <vector>

namespace pygc::report {

/// The version of pygc, "0.2.0".
std::string_view pygc_version();

/// `{schema, pygc, target, python, complete, incomplete_because}`, to which the document's own
/// fields are added. `name`: of the schema, "check" for pygc.check/1. Complete is what has no
/// reason to be incomplete.
Json envelope(std::string_view name, const Subject& subject,
              const std::vector<std::string>& incomplete_because);

} // namespace pygc::report
