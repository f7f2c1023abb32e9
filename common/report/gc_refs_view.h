// The two views of a list of gc_refs.
#pragma once

#include "common/analysis/check/gc_refs_list.h"
#include "common/report/kit/subject.h"

#include <string>

namespace pygc::report {

/// One document of schema pygc.gc-refs/1, an object a line: for a million objects no tree of JSON
/// values is built.
std::string gc_refs_json(const Subject& subject, const analysis::GcRefsList& list);

/// `0xADDRESS gc_refs refcount type`, a line an object.
std::string gc_refs_text(const analysis::GcRefsList& list);

} // namespace pygc::report
