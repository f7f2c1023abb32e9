// By which ways objects are held, counted in words that another process's can be compared with.
#pragma once

#include "common/analysis/count_diff.h"
#include "common/analysis/explore/why.h"

#include <string>

namespace pygc::analysis {

/// A merged path: "dict of module 'app' ['CACHE'] list [*] Session". Names and types, no addresses
/// and no numbers of items.
std::string way_of(const WhyPath& path);

/// Of an answer with merged paths (WhyQuestion::merge).
Counts count_ways(const Why& why);

} // namespace pygc::analysis
