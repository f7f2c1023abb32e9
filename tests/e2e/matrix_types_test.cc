// `pygc types` against gc.get_objects() and sys.getsizeof() on every build of the matrix.
#include "tests/e2e/support/heap_facts.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

class MatrixTypes : public MatrixTest {};

TEST_P(MatrixTypes, AreCountedAndSizedAsTheInterpreterDoes) {
  examine_build(GetParam(), "types", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "type_sizes.py"});
    const auto expected = totals_by_type(core);
    std::vector<std::string> words = {"types", core.path, "--json", "--retained"};
    const std::vector<std::string> options = core.build->pygc_options();
    words.insert(words.end(), options.begin(), options.end());
    const Outcome outcome = run_pygc(words);
    const nlohmann::json document = parse_document(outcome.out, outcome);
    EXPECT_EQ(outcome.status, 0) << document.at("incomplete_because");
    std::size_t equal = 0;
    std::uint64_t immortal = document.at("immortal");
    for (const nlohmann::json& row : document.at("types")) {
      const std::uint64_t type = to_address(row.at("address").get<std::string>());
      const auto found = expected.find(type);
      const TypeTotal total = found == expected.end() ? TypeTotal{} : found->second;
      const bool exact = row.at("size_basis") != "lower_bound";
      if (row.at("objects") == total.objects) {
        if (exact) { // str.__sizeof__ leaves out what a class derived from it adds
          EXPECT_EQ(row.at("size"), total.size) << row;
        }
        equal += exact ? 1 : 0;
      } else { // gc-refs leaves out immortal objects
        const std::uint64_t further = row.at("objects").get<std::uint64_t>() - total.objects;
        EXPECT_LE(further, immortal) << row;
        immortal -= std::min(further, immortal);
      }
    }
    EXPECT_EQ(immortal, 0U);
    EXPECT_GT(equal, 25U);
    for (const std::string name : {"holder", "chain"}) {
      const Planted each = planted(core, name);
      for (const nlohmann::json& row : document.at("types")) {
        if (to_address(row.at("address").get<std::string>()) == each.type) {
          EXPECT_EQ(row.at("retained"), each.retained) << row;
          EXPECT_EQ(row.at("retained_objects"), each.objects) << row;
        }
      }
    }
    return std::to_string(equal) + " types of the interpreter's size";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixTypes, testing::ValuesIn(matrix()), name_of_build);

} // namespace
} // namespace pygc::e2e
