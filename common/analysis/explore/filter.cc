#include "common/analysis/explore/filter.h"

#include <algorithm>
#include <fnmatch.h>

namespace pygc::analysis {
namespace {

using Operation = FilterStep::Operation;

bool compares(const FilterStep& step, FilteredObject& object) {
  const std::optional<std::int64_t> value = object.number(step.field);
  if (!value) {
    return false;
  }
  switch (step.operation) {
  case Operation::equal:
    return *value == step.number;
  case Operation::unequal:
    return *value != step.number;
  case Operation::less:
    return *value < step.number;
  case Operation::less_equal:
    return *value <= step.number;
  case Operation::greater:
    return *value > step.number;
  default:
    return *value >= step.number;
  }
}

} // namespace

bool matches_pattern(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool passes(const Filter& filter, FilteredObject& object) {
  bool value = true;
  for (std::size_t at = 0; at < filter.size(); ++at) {
    const FilterStep& step = filter[at];
    switch (step.operation) {
    case Operation::match:
      value = object.has_name(step.field, step.pattern);
      break;
    case Operation::negate:
      value = !value;
      break;
    case Operation::skip_if_true:
    case Operation::skip_if_false:
      if (value == (step.operation == Operation::skip_if_true)) {
        at = step.target - 1;
      }
      break;
    default:
      value = compares(step, object);
    }
  }
  return value;
}

bool uses(const Filter& filter, Field field) {
  return std::ranges::any_of(filter, [field](const FilterStep& step) {
    return step.operation < Operation::negate && step.field == field;
  });
}

Filter name_filter(Field field, const std::string& pattern) {
  return {{.operation = Operation::match, .field = field, .pattern = pattern}};
}

} // namespace pygc::analysis
