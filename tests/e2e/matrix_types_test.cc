// `pygc types` against gc.get_objects() and sys.getsizeof() on every build of the matrix.
#include "tests/e2e/support/heap_facts.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

/// Returns the number of types whose blocks are known.
std::size_t expect_blocks_of_the_interpreter(const Core& core, const nlohmann::json& document,
                                             const std::map<std::uint64_t, TypeTotal>& expected) {
  for (const auto& [size, each] : block_classes(core)) {
    EXPECT_LE(each.objects, each.in_use) << "blocks of " << size << " bytes";
  }
  std::size_t known = 0;
  for (const nlohmann::json& row : document.at("types")) {
    const nlohmann::json& blocks = row.at("blocks");
    const auto found = expected.find(to_address(row.at("address").get<std::string>()));
    if (found == expected.end() || row.at("objects") != found->second.objects) {
      continue;
    }
    const TypeTotal& total = found->second;
    if (total.in_pools == total.objects) {
      EXPECT_EQ(blocks.at("objects"), total.objects) << row;
      EXPECT_EQ(blocks.at("own"), total.blocks) << row;
    }
    if (blocks.at("basis") != "lower_bound") { // else not all are known
      EXPECT_GE(blocks.at("total"), row.at("size")) << row;
    }
    known += blocks.at("objects") == row.at("objects") ? 1U : 0U;
  }
  return known;
}

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
    const std::size_t checked = expect_blocks_of_the_interpreter(core, document, expected);
    EXPECT_GT(checked, build.free_threaded ? 0U : 25U);
    for (const std::string name : {"holder", "chain"}) {
      const Planted each = planted(core, name);
      for (const nlohmann::json& row : document.at("types")) {
        if (to_address(row.at("address").get<std::string>()) == each.type) {
          EXPECT_EQ(row.at("retained"), each.retained) << row;
          EXPECT_EQ(row.at("retained_objects"), each.objects) << row;
        }
      }
    }
    return std::to_string(equal) + " types of the interpreter's size, " + std::to_string(checked) +
           " in known blocks";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixTypes, testing::ValuesIn(half_of_the_kinds(Half::first)),
                         name_of_build);

} // namespace
} // namespace pygc::e2e
