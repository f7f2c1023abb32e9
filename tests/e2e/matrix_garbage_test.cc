// `pygc garbage` against gc.DEBUG_SAVEALL on every build of the matrix.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

class MatrixGarbage : public MatrixTest {};

TEST_P(MatrixGarbage, IsWhatTheInterpreterSaves) {
  examine_build(GetParam(), "garbage", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "explore.py"});
    const AddressSet saved = printed_set(core, "garbage");
    const auto found = unreachable_of(core);
    EXPECT_GT(saved.size(), 150U);
    EXPECT_EQ(addresses_of(found.at("objects")), saved);
    return std::to_string(saved.size()) + " objects saved, the same found";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixGarbage, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
