// By which names commands take a type.
#include "common/analysis/explore/type_matcher.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

TEST(TypeMatcher, TakesEachNameAndPatternsOfThem) {
  tests::HeapBuilder heap;
  const Address buffer = heap.add_type("_io.TextIOWrapper", heap.add_function("traverse"));
  heap.add_object(1, buffer);
  heap.finish();
  for (const char* pattern :
       {"_io.TextIOWrapper", "TextIOWrapper", "_io.*", "*Wrapper", "Text??*"}) {
    TypeMatcher matches(heap.reader(), {pattern});
    EXPECT_TRUE(matches(buffer)) << pattern;
    EXPECT_FALSE(matches(heap.plain_type)) << pattern;
    EXPECT_TRUE(matches(buffer)) << pattern; // and the second time
  }
  for (const char* pattern : {"", "textiowrapper", "_io", "io.TextIOWrapper", "Wrapper"}) {
    EXPECT_FALSE(TypeMatcher(heap.reader(), {pattern})(buffer)) << pattern;
  }
}

TEST(TypeMatcher, TakesWhatOneOfItsPatternsNames) {
  tests::HeapBuilder heap;
  heap.add_object(1);
  heap.finish();
  EXPECT_TRUE(TypeMatcher(heap.reader(), {"D", "builtins.C"})(heap.plain_type));
  EXPECT_FALSE(TypeMatcher(heap.reader(), {})(heap.plain_type));
}

} // namespace
} // namespace pygc::analysis
