// `pygc dominators` against what Python sums up of structures that one object alone holds.
#include "tests/e2e/support/heap_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DominatorsTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  json dominators(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {"dominators"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = run_pygc(all);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return parse_document(outcome.out, outcome);
  }

  Core core = make_core({.build = GetParam(), .script = "type_sizes.py"});
};

TEST_P(DominatorsTest, RetainWhatPythonSumsUp) {
  for (const std::string name : {"holder", "second", "chain", "loop", "more"}) {
    const Planted expected = planted(core, name);
    const json document = dominators({to_hex(expected.address), core.path, "--json"});
    EXPECT_EQ(document.at("basis"), "exact");
    const json object = document.at("dominators").at(0);
    EXPECT_EQ(object.at("object").at("address"), to_hex(expected.address));
    EXPECT_EQ(object.at("retained"), expected.retained) << name << document.dump(1);
    EXPECT_EQ(object.at("retained_objects"), expected.objects) << name;
    EXPECT_EQ(object.at("reachable"), name != "loop" && name != "more") << name;
    std::uint64_t size = 0;
    for (const json& type : document.at("retained_types")) {
      size += type.at("size").get<std::uint64_t>();
    }
    EXPECT_EQ(size, expected.retained);
  }
}

TEST_P(DominatorsTest, AreAChain) {
  const Planted second = planted(core, "second");
  const Planted chain = planted(core, "chain");
  const json document = dominators({to_hex(second.address), core.path, "--json"});
  const json& rows = document.at("dominators");
  ASSERT_GE(rows.size(), 3U) << document.dump(1);
  EXPECT_EQ(rows.at(0).at("held_by"), to_hex(chain.address));
  EXPECT_EQ(rows.at(1).at("object").at("address"), to_hex(chain.address));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows.at(i - 1).at("held_by"), rows.at(i).at("object").at("address"));
    EXPECT_GT(rows.at(i).at("retained"), rows.at(i - 1).at("retained"));
  }
  EXPECT_EQ(rows.back().at("held_by"), nullptr);
}

TEST_P(DominatorsTest, OfTheHeapAreTheLargest) {
  const json document = dominators({core.path, "--json", "--top", "100000"});
  EXPECT_EQ(document.at("retained_types"), nullptr);
  EXPECT_EQ(document.at("further"), 0);
  const json& rows = document.at("dominators");
  EXPECT_EQ(rows.size(), document.at("objects"));
  std::uint64_t before = UINT64_MAX;
  std::uint64_t tops = 0;
  for (const json& row : rows) {
    EXPECT_LE(row.at("retained").get<std::uint64_t>(), before);
    before = row.at("retained");
    tops += row.at("held_by").is_null() ? row.at("retained").get<std::uint64_t>() : 0;
  }
  EXPECT_EQ(tops, document.at("size")); // each object is below one that nothing alone holds
  const json cut = dominators({core.path, "--json", "--top", "3"});
  EXPECT_EQ(cut.at("dominators"), json(rows.begin(), rows.begin() + 3));
  EXPECT_EQ(cut.at("further"), rows.size() - 3);
}

// A debugger computes the address.
TEST_P(DominatorsTest, AreTheSameInDebuggers) {
  const std::uint64_t holder = planted(core, "holder").address;
  const json of_one = dominators({to_hex(holder), core.path, "--json"});
  for (const json& document :
       documents_in_debuggers(core, "dominators " + to_hex(holder - 16) + "+16")) {
    EXPECT_EQ(document, of_one);
  }
  const json of_all = dominators({core.path, "--json"});
  for (const json& document : documents_in_debuggers(core, "dominators")) {
    EXPECT_EQ(document, of_all);
  }
}

INSTANTIATE_TEST_SUITE_P(Builds, DominatorsTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

TEST(DominatorsText, FitsItsColumns) {
  const Core core = make_core({.build = &release_build(), .script = "type_sizes.py"});
  const std::string holder = to_hex(planted(core, "holder").address);
  for (const std::string columns : {"80", "120"}) {
    const std::vector<std::string> environment = {"COLUMNS=" + columns};
    const Outcome all = run_pygc({"dominators", core.path, "--top", "5000"}, environment);
    const Outcome one = run_pygc({"dominators", holder, core.path}, environment);
    EXPECT_EQ(one.status, 0) << one.err;
    for (const std::string& line : split_lines(all.out + one.out)) {
      EXPECT_LE(line.size(), std::stoul(columns)) << line;
    }
    EXPECT_THAT(all.out, HasSubstr("next: pygc dominators 0x"));
    EXPECT_THAT(one.out, HasSubstr("retains 5 objects"));
    EXPECT_THAT(one.out, HasSubstr("lower bound"));
  }
  const Outcome refused = run_pygc({"dominators", "0x10", core.path});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("no object that a collection takes"));
  const Outcome unknown = run_pygc({"dominators", "missing.core"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("'missing.core' is no object and no core file"));
}

} // namespace
} // namespace pygc::e2e
