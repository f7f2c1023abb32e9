// `pygc types` against gc.get_objects() and sys.getsizeof() of the same heap.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/heap_facts.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json types_of(const Core& core, const std::vector<std::string>& words = {}) {
  std::vector<std::string> all = {"types"};
  all.insert(all.end(), words.begin(), words.end());
  json document = document_alone(core, all);
  EXPECT_EQ(document.at("basis"), "exact");
  return document;
}

json row_of(const json& document, std::uint64_t type) {
  for (const json& row : document.at("types")) {
    if (to_address(row.at("address").get<std::string>()) == type) {
      return row;
    }
  }
  ADD_FAILURE() << "no row of type " << to_hex(type) << " in " << document.dump(1);
  return {};
}

class TypesTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  Core core = make_core({.build = GetParam(), .script = "type_sizes.py"});
};

TEST_P(TypesTest, AreCountedAndSizedAsTheInterpreterDoes) {
  const auto expected = totals_by_type(core);
  const json document = types_of(core);
  EXPECT_EQ(document.at("all_types"), expected.size());
  std::uint64_t objects = 0;
  std::map<std::string, std::size_t> bases;
  for (const auto& [type, total] : expected) {
    const json row = row_of(document, type);
    EXPECT_EQ(row.at("objects"), total.objects) << row;
    const std::string basis = row.at("size_basis");
    ++bases[basis];
    if (basis == "lower_bound") {
      EXPECT_LE(row.at("size").get<std::uint64_t>(), total.size) << row;
    } else {
      EXPECT_EQ(row.at("size"), total.size) << row;
    }
    objects += total.objects;
  }
  EXPECT_EQ(document.at("objects"), objects);
  EXPECT_GT(bases["exact"], 20U);
  EXPECT_GE(bases["model"], 10U);
  for (const json& row : document.at("types")) {
    const std::string type = row.at("type");
    if (type == "Sized") { // says 100,000
      EXPECT_EQ(row.at("size_basis"), "lower_bound");
    } else if (type == "Rows" || type == "Numbers" || type == "Queue" || type == "list" ||
               type == "dict" || type == "set" || type == "type" || type == "Holder" ||
               type == "Number") {
      EXPECT_EQ(row.at("size_basis"), "model") << row;
    } else if (type == "Plain" || type == "Slots" || type == "Wide" || type == "tuple") {
      EXPECT_EQ(row.at("size_basis"), "exact") << row;
    }
  }
}

TEST_P(TypesTest, LieInTheBlocksOfTheInterpreter) {
  const auto expected = totals_by_type(core);
  const json document = types_of(core);
  std::size_t equal = 0;
  for (const auto& [type, total] : expected) {
    const json row = row_of(document, type);
    const json blocks = row.at("blocks");
    if (total.in_pools == total.objects) {
      EXPECT_EQ(blocks.at("objects"), total.objects) << row;
      EXPECT_EQ(blocks.at("own"), total.blocks) << row;
      ++equal;
    }
    if (blocks.at("basis") != "lower_bound") {
      EXPECT_GE(blocks.at("total"), row.at("size")) << row;
    }
  }
  EXPECT_GT(equal, 25U);
  for (const auto& [size, each] : block_classes(core)) {
    EXPECT_LE(each.objects, each.in_use) << "blocks of " << size << " bytes";
  }
}

TEST_P(TypesTest, OfObjectsThatDoNotGoIntoTheirBlocksAreIncomplete) {
  const Planted chain = planted(core, "second"); // of a type without objects beside the two
  const auto object = [&] {
    const Outcome outcome = run_pygc({"object", to_hex(chain.address), core.path, "--json"});
    return parse_document(outcome.out, outcome);
  };
  const json block = object().at("block");
  EXPECT_EQ(block.at("allocator"), "pymalloc");
  EXPECT_EQ(block.at("basis"), "proven");
  EXPECT_EQ(block.at("requested").is_null(), GetParam() == &release_build());
  EXPECT_GE(block.at("size"), object().at("own_size"));
  EXPECT_EQ(object().at("complete"), true);
  const CoreFile file(core.path);
  constexpr std::uint64_t basicsize = 32; // PyTypeObject.tp_basicsize
  file.set_word(chain.type + basicsize, file.word(chain.type + basicsize) + 512);
  EXPECT_EQ(object().at("complete"), false);
  const Outcome outcome = run_pygc({"types", core.path, "--json"});
  EXPECT_EQ(outcome.status, 3);
  const json document = parse_document(outcome.out, outcome);
  ASSERT_EQ(document.at("incomplete_because").size(), 1U);
  EXPECT_THAT(document.at("incomplete_because").at(0).get<std::string>(),
              HasSubstr("2 objects are larger than the memory that the allocator gave"));
}

TEST_P(TypesTest, RetainWhatPythonSumsUp) {
  const json document = types_of(core, {"--retained"});
  EXPECT_EQ(document.at("retained_basis"), "lower_bound");
  // Of Chain's two objects one holds the other.
  for (const std::string name : {"holder", "chain"}) {
    const Planted expected = planted(core, name);
    const json row = row_of(document, expected.type);
    EXPECT_EQ(row.at("retained"), expected.retained) << row;
    EXPECT_EQ(row.at("retained_objects"), expected.objects) << row;
  }
  std::uint64_t before = UINT64_MAX;
  for (const json& row : document.at("types")) {
    EXPECT_GE(row.at("retained"), row.at("size")) << row;
    EXPECT_LE(row.at("retained").get<std::uint64_t>(), before);
    before = row.at("retained");
  }
}

TEST_P(TypesTest, OfGarbageAreThoseOfPygcGarbage) {
  const json document = types_of(core, {"--garbage", "--retained"});
  const json garbage = unreachable_of(core);
  EXPECT_EQ(document.at("objects"), garbage.at("unreachable"));
  std::map<std::string, std::uint64_t> expected;
  std::map<std::string, std::uint64_t> found;
  for (const json& row : garbage.at("types")) {
    expected[row.at("type")] += row.at("objects").get<std::uint64_t>();
  }
  for (const json& row : document.at("types")) {
    found[row.at("type")] += row.at("objects").get<std::uint64_t>();
  }
  EXPECT_EQ(found, expected);
  const Planted loop = planted(core, "loop");
  const Planted more = planted(core, "more");
  const json row = row_of(document, loop.type);
  EXPECT_EQ(row.at("objects"), 2);
  EXPECT_GE(row.at("retained"), loop.retained + more.retained);
}

TEST_P(TypesTest, AreSortedAndCut) {
  const json document = types_of(core, {"--sort", "objects", "--min", "4k"});
  std::uint64_t before = UINT64_MAX;
  for (const json& row : document.at("types")) {
    EXPECT_LE(row.at("objects").get<std::uint64_t>(), before);
    before = row.at("objects");
    EXPECT_GE(row.at("size").get<std::uint64_t>(), 4096U);
  }
  EXPECT_LT(document.at("types").size(), document.at("all_types").get<std::size_t>());
  std::vector<std::string> names;
  for (const json& row : types_of(core, {"--sort", "name"}).at("types")) {
    names.push_back(row.at("type"));
  }
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

TEST_P(TypesTest, AreTheSameInDebuggers) {
  const json expected = types_of(core, {"--retained"});
  for (const json& document : documents_in_debuggers(core, "types --retained")) {
    EXPECT_EQ(document, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Builds, TypesTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

TEST(TypesText, FitsItsColumns) {
  const Core core = make_core({.build = &release_build(), .script = "type_sizes.py"});
  for (const std::string columns : {"80", "120"}) {
    const Outcome outcome =
        run_pygc({"types", core.path, "--retained", "--top", "100000"}, {"COLUMNS=" + columns});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const std::string& line : split_lines(outcome.out)) {
      EXPECT_LE(line.size(), std::stoul(columns)) << line;
    }
    EXPECT_THAT(outcome.out, HasSubstr("Holder"));
    EXPECT_THAT(outcome.out, HasSubstr("lower bound"));
    EXPECT_THAT(outcome.out, HasSubstr("not track"));
  }
  EXPECT_THAT(run_pygc({"types", core.path, "--top", "2"}).out, HasSubstr("more types (--top)"));
  const Outcome refused = run_pygc({"types", core.path, "--sort", "retained"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--retained"));
}

} // namespace
} // namespace pygc::e2e
