// What is asked of an object: `type = "app.*" and refcount > 3 and not attribute = "closed"`, as a
// program of tests.
#pragma once

#include "common/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

enum class Field : std::uint8_t { type, module, attribute, size, refcount, gc_refs };

/// An object as a filter sees it: what is not asked for need not be found out.
class FilteredObject {
public:
  FilteredObject() = default;
  FilteredObject(const FilteredObject&) = delete;
  FilteredObject& operator=(const FilteredObject&) = delete;
  virtual ~FilteredObject() = default;

  /// Of size, refcount and gc_refs. Nothing: it has none, and no comparison with it holds.
  virtual std::optional<std::int64_t> number(Field field) = 0;
  /// Whether a name of its type or its module is as the pattern wants it; of attribute: whether it
  /// has one of that name.
  virtual bool has_name(Field field, const std::string& pattern) = 0;
};

/// As the shell takes patterns: *, ? and [...].
bool matches_pattern(const std::string& pattern, const std::string& text);

struct FilterStep {
  enum class Operation : std::uint8_t {
    match, // a name
    equal, // the object's number with `number`; the same of those that follow
    unequal,
    less,
    less_equal,
    greater,
    greater_equal,
    negate,        // what the step before came to
    skip_if_true,  // to `target`, when the step before came to that
    skip_if_false, //
  };
  Operation operation = Operation::match;
  Field field = Field::type;
  std::int64_t number = 0;
  std::string pattern = {};
  std::size_t target = 0;
};

/// Made by parse_filter() and its like; targets lie ahead.
using Filter = std::vector<FilterStep>;

/// An empty one lets everything pass.
bool passes(const Filter& filter, FilteredObject& object);
bool uses(const Filter& filter, Field field);

/// A name that matches the pattern.
Filter name_filter(Field field, const std::string& pattern);
/// A number, or a range with both its ends: "3", "1k..", "..-1", "2..5". Errors: usage.
Result<Filter> parse_range(Field field, std::string_view range);
/// FIELD OPERATOR VALUE, combined by `and`, `or`, `not` and parentheses. Names are compared by =
/// and !=, numbers by these and <, <=, >, >=; a number may have k, M or G (1,024 each) behind it.
/// Errors: usage.
Result<Filter> parse_filter(std::string_view text);

} // namespace pygc::analysis
