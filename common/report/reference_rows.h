// The references of a tree, a line each.
#pragma once

#include "common/analysis/explore/reference_tree.h"
#include "common/report/kit/text.h"

namespace pygc::report {

/// Indented by their depth, and how many more there are.
void add_reference_rows(Text& text, const analysis::ReferenceTree& tree);

} // namespace pygc::report
