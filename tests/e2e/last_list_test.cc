// `$3`: the third object of the last list that a command has shown, alone and in the debuggers.
#include "tests/e2e/support/explore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LastList : public testing::Test {
protected:
  Outcome alone(std::vector<std::string> words, const Core& target) const {
    words.push_back(target.path);
    return run_pygc(words, {"PYGC_CACHE_DIR=" + directory_.path().string()});
  }
  Outcome alone(const std::vector<std::string>& words) const { return alone(words, core()); }

  /// The addresses of the lines that begin with a number, in the order of these.
  static std::vector<std::string> numbered(const Outcome& outcome) {
    std::vector<std::string> addresses;
    for (const std::string& line : split_lines(outcome.out)) {
      const std::string number = "$" + std::to_string(addresses.size() + 1) + " 0x";
      if (const auto at = line.find(number); at != std::string::npos) {
        const std::size_t begin = at + number.size() - 2;
        addresses.push_back(line.substr(begin, line.find(' ', begin) - begin));
      }
    }
    return addresses;
  }

  /// The document that follows other output.
  static json document_behind(const Outcome& outcome) {
    const std::size_t begin = outcome.out.find("{\n");
    const std::size_t end = outcome.out.rfind("\n}");
    EXPECT_TRUE(begin < end && end != std::string::npos) << outcome.out << outcome.err;
    return parse_document(outcome.out.substr(begin, end + 3 - begin), outcome);
  }

  std::string address_of(const std::string& word) const {
    const Outcome outcome = alone({"object", word, "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return parse_document(outcome.out, outcome).at("object").at("address");
  }

  static const Core& core() {
    static const Core core = make_core({.build = &release_build(), .script = "ways.py"});
    return core;
  }

  TempDir directory_;
};

TEST_F(LastList, IsThatOfTheCommandBefore) {
  const Outcome refused = alone({"object", "$1"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("no $1"), Not(HasSubstr("debugger"))));
  const Outcome found = alone({"find", "--type", "Box"});
  const std::vector<std::string> boxes = numbered(found);
  ASSERT_EQ(boxes.size(), 32U) << found.out;
  EXPECT_EQ(address_of("$3"), boxes[2]);
  EXPECT_EQ(address_of("%32"), boxes[31]); // details of one object are no list
  EXPECT_EQ(alone({"find", "--type", "Token", "--json"}).status, 0);
  EXPECT_EQ(alone({"find", "--type", "NoSuchType"}).status, 0);
  EXPECT_EQ(address_of("$1"), boxes[0]); // what shows no number leaves them as they are
  const Outcome beyond = alone({"object", "$33"});
  EXPECT_EQ(beyond.status, 2);
  EXPECT_THAT(beyond.err, AllOf(HasSubstr("pygc find --type Box"), HasSubstr("$1 to $32")));
  EXPECT_EQ(alone({"object", "$0"}).status, 2);
}

TEST_F(LastList, IsWhatEachListShows) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"refs", "--to", "__main__.first"},
        {"refs", "--from", "__main__.CACHE", "--limit", "5"},
        {"why", "--type", "Token", "--merge"},
        {"leaks", "--type", "Token"},
        {"dominators"}}) {
    const Outcome outcome = alone(words);
    EXPECT_THAT(outcome.status, testing::AnyOf(0, 1)) << outcome.err;
    const std::vector<std::string> addresses = numbered(outcome);
    ASSERT_FALSE(addresses.empty()) << words.front() << outcome.out;
    EXPECT_EQ(address_of("$" + std::to_string(addresses.size())), addresses.back())
        << words.front();
  }
  // Each command that takes an object takes one of a list.
  const std::vector<std::string> boxes = numbered(alone({"find", "--type", "Box"}));
  ASSERT_GT(boxes.size(), 2U);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"refs", "--from", "$2", "--json"}, {"why", "$2", "--json"}}) {
    const Outcome outcome = alone(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(boxes[1]));
  }
  const Outcome retained = alone({"dominators", "$2", "--json"});
  EXPECT_EQ(retained.status, 0) << retained.err;
  EXPECT_EQ(
      parse_document(retained.out, retained).at("dominators").at(0).at("object").at("address"),
      boxes[1]);
}

TEST_F(LastList, IsOneOfItsTarget) {
  ASSERT_EQ(numbered(alone({"find", "--type", "Box"})).size(), 32U);
  const Core other = make_core({.build = &release_build(), .script = "heap.py"});
  EXPECT_EQ(alone({"object", "$1"}, other).status, 2);
  EXPECT_EQ(alone({"object", "$1"}).status, 0);
}

TEST_F(LastList, NumbersWhatACheckHasFound) {
  const Core twice =
      make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const Outcome checked = alone({"check"}, twice);
  EXPECT_EQ(checked.status, 1) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("$1 0x"));
  for (const std::string& line : split_lines(checked.out)) {
    EXPECT_LE(line.size(), 80U) << line;
  }
  EXPECT_EQ(alone({"object", "$1"}, twice).status, 0);
}

TEST_F(LastList, LivesAsLongAsTheDebugger) {
  const std::vector<std::string> env = {"PYGC_CACHE_DIR=" + directory_.path().string()};
  const std::vector<std::string> boxes = numbered(alone({"find", "--type", "Box"}));
  ASSERT_EQ(boxes.size(), 32U);
  for (const auto& run_in : {run_in_gdb, run_in_lldb}) {
    const Outcome outcome =
        run_in(target_of(core()), {"pygc find --type Box", "pygc object $3 --json"}, env);
    EXPECT_THAT(outcome.out, HasSubstr("$3 " + boxes[2]));
    EXPECT_EQ(document_behind(outcome).at("object").at("address"), boxes[2]);
    // What was listed elsewhere is not known here.
    const Outcome without = run_in(target_of(core()), {"pygc object $3"}, env);
    EXPECT_THAT(without.out + without.err, AllOf(HasSubstr("no $3"), HasSubstr("($3)")));
  }
  // The debuggers' own numbers are left alone.
  const Outcome own = run_in_gdb(
      target_of(core()),
      {"pygc find --type Box", "print (long) " + boxes[4], "pygc object ($1) --json", "print $1"},
      env);
  EXPECT_EQ(document_behind(own).at("object").at("address"), boxes[4]);
}

} // namespace
} // namespace pygc::e2e
