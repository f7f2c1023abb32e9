// Garbage that each collection leaves, against what gc.collect() has left, on every build of the
// matrix.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/extension.h"
#include "tests/e2e/support/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class MatrixGarbageLeft : public MatrixTest {};

TEST_P(MatrixGarbageLeft, IsWhatACollectionHasLeft) {
  examine_build(GetParam(), "left garbage", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build,
                                 .script = "forgetful.py",
                                 .words = {build_extensions(build.build, {"forgetful"})}});
    // What the collection has left is there once more: make_garbage() ran again.
    const AddressSet stays = printed_set(core, "stays");
    EXPECT_EQ(stays.size(), 80U);
    const json garbage = unreachable_of(core);
    const json& left = garbage.at("left");
    EXPECT_EQ(left.at("problem"), nullptr);
    EXPECT_EQ(left.at("not_run"), 0) << left.dump(1);
    EXPECT_EQ(left.at("passed"), 0);
    EXPECT_EQ(left.at("objects"), 2 * stays.size()) << left.dump(1);
    EXPECT_EQ(left.at("cycles"), stays.size());
    EXPECT_EQ(left.at("basis"), "proven");
    const json& references = left.at("references");
    EXPECT_EQ(references.size(), 2U) << references.dump(1);
    for (const json& each : references) {
      EXPECT_THAT(each.at("function").get<std::string>(), HasSubstr("forgetful_clear"));
      EXPECT_EQ(each.at("field"),
                build.free_threaded ? "+0x28 of the container" : "+0x18 of the container");
      EXPECT_EQ(each.at("objects"), stays.size());
      const auto example = to_address(each.at("example").get<std::string>());
      const auto visited = to_address(each.at("visited").get<std::string>());
      EXPECT_EQ(stays.contains(example), stays.contains(visited)); // a pair
    }
    AddressSet staying;
    for (const json& each : garbage.at("objects")) {
      EXPECT_NE(each.at("fate"), "unknown") << each;
      if (each.at("fate") == "stays") {
        staying.insert(to_address(each.at("address").get<std::string>()));
      }
    }
    EXPECT_EQ(staying.size(), 2 * stays.size());
    EXPECT_THAT(staying, testing::IsSupersetOf(stays));
    return std::to_string(stays.size()) + " objects left by gc.collect(), and twice as many found";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixGarbageLeft,
                         testing::ValuesIn(half_of_the_kinds(Half::first)), name_of_build);

} // namespace
} // namespace pygc::e2e
