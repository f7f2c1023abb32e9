// `pygc find` against what the interpreter says of the same objects: equal sets.
#include "tests/e2e/support/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json found(const Core& core, const std::vector<std::string>& words) {
  std::vector<std::string> all = {"find"};
  all.insert(all.end(), words.begin(), words.end());
  json document = document_alone(core, all);
  EXPECT_EQ(document.at("basis"), "exact");
  return document;
}

class FindTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  AddressSet addresses(const std::vector<std::string>& words) const {
    return addresses_of(found(core, words).at("objects"));
  }

  Core core = make_core({.build = GetParam(), .script = "find.py"});
};

TEST_P(FindTest, IsWhatTheInterpreterSays) {
  for (const std::string type : {"Session", "Slotted", "Item", "Cart", "Rows"}) {
    const AddressSet expected = printed_set(core, "type_" + type);
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(addresses({"--type", type}), expected);
    EXPECT_EQ(addresses({"--where", "type = '*." + type + "'"}), expected);
  }
  AddressSet shop = printed_set(core, "module_shop.items");
  EXPECT_EQ(addresses({"--module", "shop.items"}), shop);
  shop.merge(printed_set(core, "module_shop"));
  ASSERT_EQ(shop.size(), 3U);
  EXPECT_EQ(addresses({"--module", "shop*"}), shop);
  EXPECT_EQ(addresses({"--type", "shop.*"}), shop);
  const AddressSet user = printed_set(core, "user");
  ASSERT_EQ(user.size(), 3U);
  EXPECT_EQ(addresses({"--attribute", "user", "--where", "not type = type"}), user);
  // A class has those of its own dictionary, as vars() shows it.
  EXPECT_EQ(addresses({"--attribute", "user", "--type", "type"}), printed_set(core, "class_user"));
  const AddressSet middle = printed_set(core, "middle");
  ASSERT_EQ(middle.size(), 1U);
  EXPECT_EQ(addresses({"--type", "Rows", "--size", "1000..5000"}), middle);
  EXPECT_EQ(addresses({"--where", "type = Rows and not (size < 1000 or size > 5000)"}), middle);
  const AddressSet shared = printed_set(core, "shared");
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(addresses({"--type", "Session", "--refcount", "50.."}), shared);
}

TEST_P(FindTest, HasTheNumbersOfTheOtherCommands) {
  std::map<std::string, std::string> references; // gc_refs and refcount by address
  for (const std::string& line : split_lines(run_pygc({"gc-refs", core.path}).out)) {
    std::istringstream words(line);
    std::string address;
    std::string gc_refs;
    std::string refcount;
    words >> address >> gc_refs >> refcount;
    references[address] = gc_refs;
    references[address].append(" ").append(refcount);
  }
  const json all = found(core, {"--gc-refs", "1.."});
  ASSERT_GT(all.at("count"), 100);
  std::size_t held = 0;
  for (const auto& [address, numbers] : references) {
    held += numbers.starts_with("0 ") ? 0U : 1U;
  }
  EXPECT_EQ(all.at("count"), held);
  for (const json& object : all.at("objects")) {
    EXPECT_EQ(references[object.at("address")],
              std::to_string(object.at("gc_refs").get<std::int64_t>()) + " " +
                  std::to_string(object.at("refcount").get<std::int64_t>()));
  }
  // Each object is on one of the collector's lists, and those are what `types` counts.
  const Outcome types = run_pygc({"types", core.path, "--json"});
  const json everything = found(core, {});
  EXPECT_EQ(everything.at("count"), parse_document(types.out, types).at("objects"));
  EXPECT_EQ(addresses_of(everything.at("objects")).size(), everything.at("count"));
}

TEST_P(FindTest, TellsTheSameInEachForm) {
  const json document = found(core, {"--type", "Session", "--with-gc-refs"});
  ASSERT_EQ(document.at("count"), 3);
  const Outcome lines =
      run_pygc({"find", core.path, "--type", "Session", "--with-gc-refs", "--json-lines"});
  json objects = json::array();
  for (const std::string& line : split_lines(lines.out)) {
    objects.push_back(json::parse(line));
  }
  EXPECT_EQ(objects, document.at("objects"));
  const Outcome text = run_pygc({"find", core.path, "--type", "Session", "--with-gc-refs"});
  const std::vector<std::string> rows = split_lines(text.out);
  ASSERT_EQ(rows.size(), 3U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& object = document.at("objects").at(i);
    std::ostringstream expected;
    expected << "$" << i + 1 << " " << object.at("address").get<std::string>() << ' '
             << object.at("refcount") << ' ' << object.at("gc_refs") << ' ' << object.at("size")
             << " Session <Session object>";
    EXPECT_EQ(rows[i], expected.str());
  }
  EXPECT_THAT(run_pygc({"find", core.path, "--type", "Session"}).out, HasSubstr(" - "));
  const json cut = found(core, {"--type", "Session", "--limit", "2"});
  EXPECT_EQ(cut.at("count"), 3);
  EXPECT_EQ(cut.at("objects").size(), 2U);
}

/// tp_name of a static type has the module in front.
TEST_P(FindTest, KnowsStaticTypesWithAndWithoutTheirModule) {
  const json whole = found(core, {"--type", "_io.TextIOWrapper"});
  EXPECT_GE(whole.at("count"), 3);
  EXPECT_EQ(found(core, {"--type", "TextIOWrapper"}).at("objects"), whole.at("objects"));
}

TEST_P(FindTest, IsTheSameInDebuggers) {
  const std::string words = "type = Session and (refcount > 50 or attribute = user)";
  const json expected = found(core, {"--where", words, "--gc-refs", "0.."});
  ASSERT_EQ(expected.at("count"), 3);
  for (const json& document :
       documents_in_debuggers(core, "find --where \"" + words + "\" --gc-refs 0..")) {
    EXPECT_EQ(document, expected);
  }
}

TEST_P(FindTest, SaysWhatItDoesNotUnderstand) {
  const Outcome range = run_pygc({"find", core.path, "--size", "big"});
  EXPECT_EQ(range.status, 2);
  EXPECT_THAT(range.err, HasSubstr("'big' is no number and no range"));
  const Outcome where = run_pygc({"find", core.path, "--where", "colour = red"});
  EXPECT_EQ(where.status, 2);
  EXPECT_THAT(where.err, HasSubstr("'colour' is no field"));
}

INSTANTIATE_TEST_SUITE_P(Builds, FindTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
