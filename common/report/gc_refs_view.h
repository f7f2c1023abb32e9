// The two views of a list of gc_refs. Neither is ever whole in memory.
#pragma once

#include "common/analysis/check/gc_refs_list.h"
#include "common/base/error.h"
#include "common/report/kit/subject.h"

#include <functional>
#include <string_view>

namespace pygc::report {

using Write = std::function<Result<void>(std::string_view)>;

/// One document of schema pygc.gc-refs/1, an object a line: for a million objects no tree of JSON
/// values is built. Errors of both: as GcRefsList::each, and those of `write`.
Result<void> write_gc_refs_json(const Subject& subject, analysis::GcRefsList& list,
                                const Write& write);

/// `0xADDRESS gc_refs refcount type`, a line an object.
Result<void> write_gc_refs_text(analysis::GcRefsList& list, const Write& write);

} // namespace pygc::report
