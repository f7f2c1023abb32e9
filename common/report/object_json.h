// Objects and visitors as JSON, the same in every document.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/json.h"

#include <optional>
#include <vector>

namespace pygc::report {

/// `{"address", "type", "summary", "refcount"}`.
Json object_json(const analysis::ObjectView& object);
Json object_json(const std::optional<analysis::ObjectView>& object);
/// `{"container", "type", "name", "summary", "function", "visits"}`, the slot and all places where
/// they are known, and what belongs to an extension.
Json visitor_json(const analysis::Visitor& visitor);
Json visitors_json(const std::vector<analysis::Visitor>& visitors);

} // namespace pygc::report
