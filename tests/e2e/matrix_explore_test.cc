// `pygc find`, names and `pygc refs` against what the interpreter says, on every build of the
// matrix: equal sets.
#include "tests/e2e/support/explore.h"
#include "tests/e2e/support/matrix.h"

#include <gtest/gtest.h>
#include <string>

namespace pygc::e2e {
namespace {

using nlohmann::json;

std::uint64_t address_in(const json& record) {
  return to_address(record.at("address").get<std::string>());
}

AddressSet others_of(const json& document) {
  AddressSet others;
  for (const json& reference : document.at("references")) {
    others.insert(address_in(reference.at("other")));
  }
  return others;
}

class MatrixFind : public MatrixTest {};

TEST_P(MatrixFind, FindsWhatTheInterpreterSays) {
  examine_build(GetParam(), "find", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "find.py"});
    const auto expect = [&](const std::vector<std::string>& words, const AddressSet& expected) {
      std::vector<std::string> all = {"find"};
      all.insert(all.end(), words.begin(), words.end());
      EXPECT_FALSE(expected.empty()) << words.back();
      EXPECT_EQ(addresses_of(document_alone(core, all).at("objects")), expected) << words.back();
    };
    for (const std::string type : {"Session", "Slotted", "Item", "Cart", "Rows"}) {
      expect({"--type", type}, printed_set(core, "type_" + type));
    }
    AddressSet shop = printed_set(core, "module_shop.items");
    shop.merge(printed_set(core, "module_shop"));
    expect({"--module", "shop*"}, shop);
    expect({"--type", "shop.*"}, shop);
    expect({"--attribute", "user", "--where", "not type = type"}, printed_set(core, "user"));
    expect({"--attribute", "user", "--type", "type"}, printed_set(core, "class_user"));
    expect({"--type", "Rows", "--size", "1000..5000"}, printed_set(core, "middle"));
    expect({"--type", "Session", "--refcount", "50.."}, printed_set(core, "shared"));
    return std::string("11 sets equal");
  });
}

class MatrixNames : public MatrixTest {};

TEST_P(MatrixNames, LeadWherePythonsDo) {
  examine_build(GetParam(), "names", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "names.py"});
    const std::size_t names = expect_names_lead_where_eval_does(core);
    EXPECT_EQ(names, 36U);
    return std::to_string(names) + " names lead where eval() leads";
  });
}

TEST_P(MatrixNames, OfItemsOfDequesAndSets) {
  examine_build(GetParam(), "elements", [](const MatrixBuild& build) {
    const Core core = make_core({.build = &build.build, .script = "elements.py"});
    const auto named = [&](const std::string& container, const std::string& object) {
      const std::string wanted = core.printed_value(object);
      const json from = document_alone(
          core, {"refs", "--from", core.printed_value(container), "--limit", "1000"});
      for (const json& reference : from.at("references")) {
        if (address_in(reference.at("other")) == std::stoull(wanted)) {
          return reference.at("name");
        }
      }
      return json();
    };
    EXPECT_EQ(named("queue", "item"), "[77]");
    EXPECT_EQ(named("tags", "tag"), "an element");
    EXPECT_EQ(named("named", "first"), "an element");
    const auto summary = [&](const std::string& name) {
      const json object = document_alone(core, {"object", core.printed_value(name)}).at("object");
      return object.at("summary");
    };
    EXPECT_EQ(summary("queue"), "collections.deque of 150 items");
    EXPECT_EQ(summary("tags"), "set of 20 items");
    EXPECT_EQ(summary("tag"), "frozenset of 2 items");
    EXPECT_EQ(summary("named"), "Names of 1 items");
    return std::string("3 elements named");
  });
}

class MatrixReferences : public MatrixTest {};

TEST_P(MatrixReferences, AreWhatTheInterpreterGives) {
  examine_build(GetParam(), "references", [](const MatrixBuild& build) {
    const Core core =
        make_core({.build = &build.build, .script = "explore.py", .words = {"referrers"}});
    const AddressSet tracked = addresses_of(document_alone(core, {"find"}).at("objects"));
    std::size_t references = 0;
    for (const std::string name : {"shared", "CACHE", "session", "Session"}) {
      const std::string address = core.printed_value("object_" + name);
      const AddressSet referents = printed_set(core, "referent_" + name);
      EXPECT_EQ(others_of(document_alone(core, {"refs", "--from", address, "--limit", "100000"})),
                referents)
          << name;
      // What the child made after the fork is not in the core.
      AddressSet referrers = printed_set(core, "referrer_" + name);
      std::erase_if(referrers, [&](std::uint64_t each) { return !tracked.contains(each); });
      const json document = document_alone(core, {"refs", "--to", address, "--limit", "100000"});
      AddressSet found;
      for (const json& reference : document.at("references")) {
        // The script leaves out frames, which are objects up to 3.10.
        if (reference.at("other").at("type") != "frame") {
          found.insert(address_in(reference.at("other")));
        }
      }
      EXPECT_EQ(found, referrers) << name;
      references += referents.size() + referrers.size();
    }
    return std::to_string(references) + " references, the same found";
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, MatrixFind, testing::ValuesIn(half_of_the_kinds(Half::first)),
                         name_of_build);
INSTANTIATE_TEST_SUITE_P(Builds, MatrixNames, testing::ValuesIn(half_of_the_kinds(Half::second)),
                         name_of_build);
INSTANTIATE_TEST_SUITE_P(Builds, MatrixReferences,
                         testing::ValuesIn(half_of_the_kinds(Half::first)), name_of_build);

} // namespace
} // namespace pygc::e2e
