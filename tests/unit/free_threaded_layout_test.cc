// What describes a build without a GIL, and that all of it must be there.
#include "common/cpython/layout.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace pygc::cpython {
namespace {

image::Layouts structs_of(const std::string& table) {
  std::ifstream file(PYGC_TEST_DATA_DIR "/../../common/cpython/layouts/" + table);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return nlohmann::json::parse(text).at("structs").get<image::Layouts>();
}

TEST(FreeThreadedLayout, IsKnownByTheBitsOfAnObject) {
  const auto layout = make_layout(structs_of("upstream-3.13.5t-release.json"));
  ASSERT_TRUE(layout) << layout.error().reason;
  ASSERT_TRUE(layout->free_threaded);
  EXPECT_EQ(layout->free_threaded->ob_tid, 0U);
  EXPECT_EQ(layout->free_threaded->ob_gc_bits, 11U);
  EXPECT_EQ(layout->ob_type, 24U);
  EXPECT_EQ(layout->gc_head_size, 0U); // nothing lies before an object
  EXPECT_FALSE(layout->free_threaded->page_keys);
}

TEST(FreeThreadedLayout, OfADebugBuildHasEncodedFreeLists) {
  const auto layout = make_layout(structs_of("upstream-3.13.5t-debug.json"));
  ASSERT_TRUE(layout) << layout.error().reason;
  EXPECT_TRUE(layout->free_threaded->page_keys);
}

TEST(FreeThreadedLayout, IsNoneOfABuildWithAGil) {
  const auto layout = make_layout(structs_of("upstream-3.13.0-release.json"));
  ASSERT_TRUE(layout) << layout.error().reason;
  EXPECT_FALSE(layout->free_threaded);
  EXPECT_EQ(layout->gc_head_size, 16U);
}

TEST(FreeThreadedLayout, NamesTheFieldThatIsNotDescribed) {
  auto structs = structs_of("upstream-3.13.5t-release.json");
  structs.at("mi_page_s").erase("local_free");
  const auto layout = make_layout(structs);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().kind, ErrorKind::no_debug_info);
  EXPECT_EQ(layout.error().reason, "mi_page_s.local_free is not described");
}

TEST(FreeThreadedLayout, OfAGilNeedsAReferenceCount) {
  auto structs = structs_of("upstream-3.13.0-release.json");
  structs.at("PyObject").erase("ob_refcnt");
  const auto layout = make_layout(structs);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().reason, "PyObject.ob_refcnt is not described");
}

} // namespace
} // namespace pygc::cpython
