// Which texts are names of Python's, and what an int is. That names lead where Python's do is
// tested on real heaps.
#include "common/cpython/objects/object_path.h"
#include "tests/unit/support/heap_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::cpython {
namespace {

TEST(ObjectPath, IsANameWithAttributesAndSubscripts) {
  for (const char* path : {"sys", "sys.stderr", "_a1.b", "app.CACHE['key']", "a[0]",
                           "a[-1].b[\"c\"]", "a['x.y[z]']['']", "\xc3\xa4.b", "a[0][1]"}) {
    EXPECT_TRUE(is_object_path(path)) << path;
  }
  for (const char* text : {"",       "0x7f",
                           "1",      "$1",
                           "$rdi",   "&a",
                           "a.",     ".a",
                           "a..b",   "a[",
                           "a[]",    "a['x]",
                           "a['x'",  "a[x]",
                           "a b",    "a->b",
                           "a[1",    "(a)",
                           "a + 1",  "a()",
                           "*a",     "a[99999999999999999999]",
                           "a['x'y]"}) {
    EXPECT_FALSE(is_object_path(text)) << text;
  }
}

TEST(ObjectPath, WithoutModulesLeadsNowhere) {
  tests::HeapBuilder heap;
  heap.add_object(1);
  heap.finish();
  const auto found = object_at_path(heap.reader(), "sys.stderr");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::not_found);
  EXPECT_EQ(found.error().address, 0U); // the first part: somebody else may know it
  EXPECT_THAT(found.error().reason, ::testing::HasSubstr("no module 'sys'"));
  const auto refused = object_at_path(heap.reader(), "a + 1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
}

} // namespace
} // namespace pygc::cpython
