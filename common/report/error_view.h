// An error as a JSON document, and what mends errors of its kind.
#pragma once

#include "common/base/error.h"
#include "common/report/kit/subject.h"

#include <string>

namespace pygc::report {

/// A command, an option or an act of the user's; empty when nothing helps but a report of the
/// error.
std::string mend_for(const Error& error);

/// One document of schema pygc.error/1, with a newline at its end.
std::string error_json(const Subject& subject, const Error& error);

} // namespace pygc::report
