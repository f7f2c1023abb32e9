// Objects and visitors as JSON, the same in every document.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/kit/json.h"

#include <optional>

namespace pygc::report {

/// `{"address", "type", "summary", "refcount"}`.
Json object_json(const analysis::ObjectView& object);
Json object_json(const std::optional<analysis::ObjectView>& object);
/// `{"container", "type", "name", "summary", "function", "visits"}`, and the slot where it is
/// known.
Json visitor_json(const analysis::Visitor& visitor);

} // namespace pygc::report
