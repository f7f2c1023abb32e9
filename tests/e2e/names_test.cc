// Objects by the names that Python code gives them: they lead where eval() leads.
#include "tests/e2e/support/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class NamesTest : public testing::TestWithParam<const InterpreterBuild*> {
protected:
  std::uint64_t address_of(const std::vector<std::string>& words) const {
    const Outcome outcome = run_pygc(words);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return to_address(
        parse_document(outcome.out, outcome).at("object").at("address").get<std::string>());
  }

  Core core = make_core({.build = GetParam(), .script = "names.py"});
};

TEST_P(NamesTest, LeadWherePythonsDo) {
  EXPECT_EQ(expect_names_lead_where_eval_does(core), 36U);
}

TEST_P(NamesTest, AreTakenByEachCommand) {
  const std::uint64_t cache = to_address(core.printed_value("CACHE"));
  EXPECT_EQ(address_of({"object", "CACHE", core.path, "--json"}), cache);
  EXPECT_EQ(address_of({"refs", "--to", "CACHE", core.path, "--json"}), cache);
  const Outcome dominators = run_pygc({"dominators", "CACHE", core.path, "--json"});
  const json row = parse_document(dominators.out, dominators).at("dominators").at(0);
  EXPECT_EQ(to_address(row.at("object").at("address").get<std::string>()), cache);
  const Outcome why = run_pygc({"why", "__main__.CACHE", core.path, "--json"});
  const json path = parse_document(why.out, why).at("paths").at(0);
  EXPECT_EQ(to_address(path.at("steps").back().at("object").at("address").get<std::string>()),
            cache);
}

TEST_P(NamesTest, SayWhereTheyEnd) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"nosuch.name", "there is no module 'nosuch'"},
      {"sys.nosuch", "'sys' has no attribute 'nosuch'"},
      {"CACHE['key'][2]", "'CACHE['key']' has no item [2]"},
      {"CACHE['nokey']", "'CACHE' has no item ['nokey']"},
      {"sys['x']",
       "'sys' is a module: items are looked up in dicts, lists, tuples and deques alone"},
      {"queue[3]", "'queue' has no item [3]: it has 3"},
      {"tags[0]", "'tags' is a set: items are looked up in"},
      {"CAHCE['key']", "did you mean 'CACHE'?"},
      {"sys.stder", "did you mean 'stderr'?"},
      {"CACHE['kye']", "did you mean 'key'?"},
      {"made.frist", "did you mean 'first'?"},
      {"generator.gi_frame", "'generator.gi_frame' is computed (getset_descriptor)"},
      {"CACHE[(1, 2)]", "is neither a number (0x...) nor a name such as"}};
  for (const auto& [name, said] : wrong) {
    const Outcome outcome = run_pygc({"object", name, core.path});
    EXPECT_EQ(outcome.status, 2) << name;
    EXPECT_THAT(outcome.err, HasSubstr(said));
  }
}

TEST_P(NamesTest, TellValues) {
  const std::vector<std::pair<std::string, std::string>> values = {
      {"texts['ascii']", "str 'plainplainplain'"},
      {"texts['wide']", "str '\u20ac\u20ac\u20ac'"},
      {"values[0]", "int -7"},
      {"values[1]", "float 1.5"},
      {"values[2]", R"(bytes b'a\'\x00')"},
      {"values[3]", "bool True"}};
  for (const auto& [name, said] : values) {
    const Outcome outcome = run_pygc({"refs", "--from", name, core.path, "--json"});
    EXPECT_EQ(parse_document(outcome.out, outcome).at("object").at("summary"), said);
  }
}

TEST_P(NamesTest, AreKnownInDebuggers) {
  const json by_number =
      documents_in_debuggers(core, "refs --from " + core.printed_value("CACHE[7]['seven']")).at(0);
  for (const json& document : documents_in_debuggers(core, "refs --from \"CACHE[7]['seven']\"")) {
    EXPECT_EQ(document, by_number);
  }
  // What is no name of Python's is an expression of the debugger's.
  const std::string sum = core.printed_value("CACHE") + "+0";
  for (const json& document : documents_in_debuggers(core, "refs --from " + sum)) {
    EXPECT_EQ(to_address(document.at("object").at("address").get<std::string>()),
              to_address(core.printed_value("CACHE")));
  }
  const Outcome gdb = run_in_gdb(target_of(core), {"pygc object sys.nosuch"});
  EXPECT_THAT(gdb.out + gdb.err, HasSubstr("'sys' has no attribute 'nosuch'"));
}

INSTANTIATE_TEST_SUITE_P(Builds, NamesTest, testing::Values(&release_build(), &debug_build()),
                         [](const auto& param) { return param.param->name; });

} // namespace
} // namespace pygc::e2e
