// The views of the objects that were found. None is ever whole in memory.
#pragma once

#include "common/analysis/explore/object_search.h"
#include "common/base/error.h"
#include "common/report/kit/numbering.h"
#include "common/report/kit/subject.h"

#include <functional>
#include <string_view>

namespace pygc::report {

/// `$N 0xADDRESS refcount gc_refs size type summary`, a line an object; - for a gc_refs that was
/// not asked for. Errors of all: those of `write`.
Result<void> write_found_text(analysis::FoundObjects& found, Numbering& numbering,
                              const std::function<Result<void>(std::string_view)>& write);
/// One document of schema pygc.find/1, an object a line.
Result<void> write_found_json(const Subject& subject, analysis::FoundObjects& found,
                              const std::function<Result<void>(std::string_view)>& write);
/// JSON Lines: the objects of that document alone.
Result<void> write_found_json_lines(analysis::FoundObjects& found,
                                    const std::function<Result<void>(std::string_view)>& write);

} // namespace pygc::report
