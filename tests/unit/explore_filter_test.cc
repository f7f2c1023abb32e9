// Filters: what the notations mean, what is not asked for, what is refused.
#include "common/analysis/explore/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Fake final : public FilteredObject {
public:
  std::optional<std::int64_t> number(Field field) override {
    asked.push_back(field);
    const auto found = numbers.find(field);
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  }
  bool has_name(Field field, const std::string& pattern) override {
    asked.push_back(field);
    return matches_pattern(pattern, names[field]);
  }

  std::map<Field, std::int64_t> numbers = {{Field::size, 2048}, {Field::refcount, 3}};
  std::map<Field, std::string> names = {{Field::type, "app.Session"}, {Field::module, "app"}};
  std::vector<Field> asked;
};

bool holds(std::string_view text) {
  const auto filter = parse_filter(text);
  EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error().reason);
  Fake object;
  return filter && passes(*filter, object);
}

bool in_range(Field field, std::string_view range) {
  const auto filter = parse_range(field, range);
  EXPECT_TRUE(filter) << range;
  Fake object;
  return filter && passes(*filter, object);
}

TEST(ExploreFilter, ComparesNumbers) {
  EXPECT_TRUE(holds("refcount = 3"));
  EXPECT_TRUE(holds("refcount==3"));
  EXPECT_FALSE(holds("refcount != 3"));
  EXPECT_TRUE(holds("refcount<4"));
  EXPECT_FALSE(holds("refcount < 3"));
  EXPECT_TRUE(holds("refcount <= 3"));
  EXPECT_FALSE(holds("refcount > 3"));
  EXPECT_TRUE(holds("refcount >= 3"));
  EXPECT_TRUE(holds("refcount > -1"));
  EXPECT_TRUE(holds("size = 2k"));
  EXPECT_TRUE(holds("size < 1M"));
}

TEST(ExploreFilter, MatchesNames) {
  EXPECT_TRUE(holds("type = app.*"));
  EXPECT_TRUE(holds("type = 'app.Sess?on'"));
  EXPECT_FALSE(holds("type = Session"));
  EXPECT_TRUE(holds("module != \"os\""));
  EXPECT_FALSE(holds("module = ''"));
}

TEST(ExploreFilter, Combines) {
  EXPECT_TRUE(holds("refcount = 9 or size = 2k and refcount = 3")); // `and` binds closer
  EXPECT_FALSE(holds("(refcount = 3 or size = 2k) and refcount = 9"));
  EXPECT_TRUE(holds("not refcount = 9"));
  EXPECT_FALSE(holds("not (refcount = 9 or size = 2k)"));
  EXPECT_TRUE(holds("not not refcount = 3"));
  EXPECT_TRUE(holds("refcount = 9 or refcount = 8 or refcount = 3"));
  EXPECT_FALSE(holds("refcount = 3 and size = 2k and refcount = 8"));
}

TEST(ExploreFilter, ComparesNothingWithWhatIsNotThere) {
  for (const char* comparison : {"=", "!=", "<", "<=", ">", ">="}) {
    EXPECT_FALSE(holds(std::string("gc_refs ") + comparison + " 1")) << comparison;
  }
}

TEST(ExploreFilter, AsksForNoMoreThanItNeeds) {
  Fake object;
  ASSERT_TRUE(passes(*parse_filter("type = app.* or size > 1"), object));
  EXPECT_THAT(object.asked, ElementsAre(Field::type));
  object.asked.clear();
  ASSERT_FALSE(passes(*parse_filter("refcount = 9 and (size > 1 or module = app)"), object));
  EXPECT_THAT(object.asked, ElementsAre(Field::refcount));
  EXPECT_TRUE(uses(*parse_filter("not (size > 1 or gc_refs = 1)"), Field::gc_refs));
  EXPECT_FALSE(uses(*parse_filter("size > 1 or refcount = 1"), Field::gc_refs));
}

TEST(ExploreFilter, RangesHoldBothTheirEnds) {
  EXPECT_TRUE(in_range(Field::refcount, "3"));
  EXPECT_FALSE(in_range(Field::refcount, "4"));
  EXPECT_TRUE(in_range(Field::refcount, "3.."));
  EXPECT_FALSE(in_range(Field::refcount, "4.."));
  EXPECT_TRUE(in_range(Field::refcount, "..3"));
  EXPECT_FALSE(in_range(Field::refcount, "..2"));
  EXPECT_TRUE(in_range(Field::refcount, "-1..3"));
  EXPECT_FALSE(in_range(Field::refcount, "4..5"));
  EXPECT_TRUE(in_range(Field::size, "2k..2k"));
  EXPECT_FALSE(in_range(Field::gc_refs, "..-1")); // it has none
}

TEST(ExploreFilter, RefusesWhatItDoesNotUnderstand) {
  for (const char* range : {"", "..", "x", "1..x", "3...4", "1kk", "k", "9223372036854775807k"}) {
    EXPECT_FALSE(parse_range(Field::size, range)) << range;
  }
  const std::map<std::string, std::string> wrong = {
      {"", "a field is missing"},
      {"colour = 3", "'colour' is no field"},
      {"'type' = 3", "'type' is no field"},
      {"refcount", "behind 'refcount'"},
      {"refcount ~ 3", "behind 'refcount'"},
      {"refcount =", "nothing to compare 'refcount'"},
      {"refcount = three", "'three' is no number"},
      {"type < x", "'type' is compared by"},
      {"type = 'x", "not closed"},
      {"(size = 1", "not closed"},
      {"size = 1)", "')' is not expected"},
      {"size = 1 size = 2", "'size' is not expected"},
      {"size = 1 and", "a field is missing"},
      {"not", "a field is missing"},
      {std::string(200, '(') + "size = 1", "too many parentheses"}};
  for (const auto& [text, problem] : wrong) {
    const auto filter = parse_filter(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().kind, ErrorKind::usage);
    EXPECT_THAT(filter.error().reason, HasSubstr(problem)) << text;
  }
}

} // namespace
} // namespace pygc::analysis
