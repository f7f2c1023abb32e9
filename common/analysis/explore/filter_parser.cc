// The two notations of filters: ranges and expressions.
#include "common/analysis/explore/filter.h"
#include "common/base/numbers.h"

#include <array>
#include <cctype>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace pygc::analysis {
namespace {

using Operation = FilterStep::Operation;

constexpr std::size_t depth_limit = 100; // of parentheses and `not`s
constexpr std::string_view symbols = "=!<>()";

constexpr std::array<std::pair<std::string_view, Field>, 6> fields = {
    {{"type", Field::type},
     {"module", Field::module},
     {"attribute", Field::attribute},
     {"size", Field::size},
     {"refcount", Field::refcount},
     {"gc_refs", Field::gc_refs}}};

constexpr std::array<std::pair<std::string_view, Operation>, 7> operators = {
    {{"=", Operation::equal},
     {"==", Operation::equal},
     {"!=", Operation::unequal},
     {"<", Operation::less},
     {"<=", Operation::less_equal},
     {">", Operation::greater},
     {">=", Operation::greater_equal}}};

template <class Table>
auto find_in(const Table& table, std::string_view word)
    -> std::optional<typename Table::value_type::second_type> {
  for (const auto& [name, value] : table) {
    if (name == word) {
      return value;
    }
  }
  return std::nullopt;
}

/// "12", "-1", "4k".
std::optional<std::int64_t> number_of(std::string_view text) {
  constexpr std::array<std::pair<char, unsigned>, 6> units = {
      {{'k', 10}, {'K', 10}, {'m', 20}, {'M', 20}, {'g', 30}, {'G', 30}}};
  unsigned shift = 0;
  for (const auto& [unit, bits] : units) {
    if (text.ends_with(unit)) {
      shift = bits;
      text.remove_suffix(1);
      break;
    }
  }
  const std::optional<std::int64_t> number = number_in<std::int64_t>(text);
  const std::int64_t limit = std::numeric_limits<std::int64_t>::max() >> shift;
  if (!number || *number > limit || *number < -limit) {
    return std::nullopt;
  }
  return *number * (std::int64_t{1} << shift);
}

struct Token {
  std::string text;
  bool quoted = false;
};

class Parser {
public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Filter> run() {
    advance();
    alternatives(0);
    if (problem_.empty() && (token_.quoted || !token_.text.empty())) {
      complain(fmt::format("'{}' is not expected here", token_.text));
    }
    if (!problem_.empty()) {
      return fail(ErrorKind::usage, 0, fmt::format("in '{}': {}", text_, problem_));
    }
    return std::move(filter_);
  }

private:
  /// The first problem is the one that is told; what follows it is not looked at.
  void complain(std::string problem) {
    if (problem_.empty()) {
      problem_ = std::move(problem);
    }
    at_ = text_.size();
    token_ = {};
  }

  void advance() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
    token_ = {};
    if (at_ == text_.size()) {
      return;
    }
    const char first = text_[at_];
    if (first == '\'' || first == '"') {
      const std::size_t end = text_.find(first, at_ + 1);
      if (end == std::string_view::npos) {
        complain("a quotation mark is not closed");
        return;
      }
      token_ = {.text = std::string(text_.substr(at_ + 1, end - at_ - 1)), .quoted = true};
      at_ = end + 1;
      return;
    }
    std::size_t end = at_ + 1;
    if (symbols.contains(first)) {
      const bool pair = first != '(' && first != ')' && end < text_.size() && text_[end] == '=';
      end += pair ? 1 : 0;
    } else {
      while (end < text_.size() && !symbols.contains(text_[end]) &&
             std::isspace(static_cast<unsigned char>(text_[end])) == 0) {
        ++end;
      }
    }
    token_ = {.text = std::string(text_.substr(at_, end - at_))};
    at_ = end;
  }

  bool take(std::string_view word) {
    if (token_.quoted || token_.text != word) {
      return false;
    }
    advance();
    return true;
  }

  void alternatives(std::size_t depth) {
    if (depth > depth_limit) {
      complain("too many parentheses");
      return;
    }
    chain("or", Operation::skip_if_true,
          [&] { chain("and", Operation::skip_if_false, [&] { condition(depth); }); });
  }

  /// What one operand decides, the others are not asked.
  template <class Operand> void chain(std::string_view word, Operation skip, Operand operand) {
    std::vector<std::size_t> skips;
    operand();
    while (problem_.empty() && take(word)) {
      skips.push_back(filter_.size());
      filter_.push_back({.operation = skip});
      operand();
    }
    for (const std::size_t each : skips) {
      filter_[each].target = filter_.size();
    }
  }

  void condition(std::size_t depth) {
    bool negated = false;
    while (take("not")) {
      negated = !negated;
    }
    if (take("(")) {
      alternatives(depth + 1);
      if (problem_.empty() && !take(")")) {
        complain("a parenthesis is not closed");
      }
    } else {
      comparison();
    }
    if (negated) {
      filter_.push_back({.operation = Operation::negate});
    }
  }

  void comparison() {
    const std::string name = token_.text;
    const auto field = find_in(fields, name);
    if (!field || token_.quoted) {
      complain(name.empty() ? "a field is missing at the end"
                            : fmt::format("'{}' is no field: type, module, attribute, size, "
                                          "refcount or gc_refs",
                                          name));
      return;
    }
    advance();
    const auto operation = find_in(operators, token_.text);
    if (!operation || token_.quoted) {
      complain(fmt::format("behind '{}' one of =, !=, <, <=, > and >= is missing", name));
      return;
    }
    advance();
    const Token value = token_;
    if (value.text.empty() && !value.quoted) {
      complain(fmt::format("there is nothing to compare '{}' with", name));
      return;
    }
    advance();
    if (*field < Field::size) {
      compare_name(*field, *operation, name, value.text);
    } else if (const auto number = number_of(value.text)) {
      filter_.push_back({.operation = *operation, .field = *field, .number = *number});
    } else {
      complain(fmt::format("'{}' is no number", value.text));
    }
  }

  void compare_name(Field field, Operation operation, const std::string& name,
                    const std::string& pattern) {
    if (operation > Operation::unequal) {
      complain(fmt::format("'{}' is compared by = and != only", name));
      return;
    }
    filter_.push_back({.operation = Operation::match, .field = field, .pattern = pattern});
    if (operation == Operation::unequal) {
      filter_.push_back({.operation = Operation::negate});
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token token_; // the next one; empty at the end
  Filter filter_;
  std::string problem_;
};

} // namespace

Result<Filter> parse_range(Field field, std::string_view range) {
  const std::size_t dots = range.find("..");
  const bool one = dots == std::string_view::npos;
  const std::string_view from = range.substr(0, dots);
  const std::string_view to = one ? from : range.substr(dots + 2);
  const auto first = number_of(from);
  const auto last = number_of(to);
  if ((!first && !from.empty()) || (!last && !to.empty()) || (!first && !last)) {
    return fail(ErrorKind::usage, 0,
                fmt::format("'{}' is no number and no range: 3, 1k.., ..5, 2..5", range));
  }
  Filter filter;
  if (first) {
    filter.push_back({.operation = Operation::greater_equal, .field = field, .number = *first});
  }
  if (first && last) {
    filter.push_back({.operation = Operation::skip_if_false, .target = 3});
  }
  if (last) {
    filter.push_back({.operation = Operation::less_equal, .field = field, .number = *last});
  }
  return filter;
}

Result<Filter> parse_filter(std::string_view text) {
  return Parser(text).run();
}

} // namespace pygc::analysis
