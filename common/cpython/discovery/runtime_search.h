// Finds the CPythons of a target.
#pragma once

#include "common/cpython/runtime.h"

#include <string>
#include <vector>

namespace pygc::cpython {

/// Finds every initialised CPython of the target; `tables` is the directory of the layout tables.
/// Errors: not_python, no_runtime, unsupported, build_id_mismatch or not_found (of the executable),
/// corrupt when no layout is proven by the target.
Result<std::vector<Runtime>> find_runtimes(const image::ProcessImage& image,
                                           const std::string& tables);

} // namespace pygc::cpython
