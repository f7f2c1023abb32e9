// What a numpy array of objects holds, which no container visits, is named by its subscripts.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/matrix.h"

#include <algorithm>
#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

namespace pygc::e2e {
namespace {

using nlohmann::json;

class MatrixArrays : public testing::TestWithParam<PackageBuild> {};

TEST_P(MatrixArrays, NameTheirElements) {
  const MatrixBuild& build = package_build(GetParam());
  const std::string heading = build.heading("arrays");
  const testing::ScopedTrace trace(__FILE__, __LINE__, heading);
  const Core core = make_core({.build = &build.build, .script = "arrays.py"});
  for (const std::string name : {"vector", "matrix", "fortran", "cube"}) {
    std::string place = core.printed_value("place_" + name);
    for (auto at = place.find(','); at != std::string::npos; at = place.find(',', at + 2)) {
      place.insert(at + 1, " ");
    }
    std::ostringstream element;
    element << place << " of numpy.ndarray 0x" << std::hex
            << std::stoull(core.printed_value("array_" + name));
    const json why = document_alone(core, {"why", core.printed_value(name)});
    const json& roots = why.at("paths").at(0).at("roots");
    ASSERT_EQ(roots.size(), 1U) << why.dump(1);
    EXPECT_EQ(roots[0].at("kind"), "memory");
    EXPECT_EQ(roots[0].at("name"), element.str());
    const json object = document_alone(core, {"object", core.printed_value(name)});
    EXPECT_THAT(object.at("roots"), testing::Contains(roots[0])) << object.dump(1);
  }
  std::printf("%s4 elements named\n", heading.c_str());
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixArrays,
                         testing::Values(PackageBuild::release, PackageBuild::debug),
                         name_of_package_build);

} // namespace
} // namespace pygc::e2e
