// Plants a corruption in a copy of a core, expects its finding, takes it back, expects clean again.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/front_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;

constexpr std::uint64_t gc_next_of = 16; // before the object
constexpr std::uint64_t type_offset = 8;
constexpr std::uint64_t flag_bits = 3;

class Corruption : public testing::Test {
protected:
  Corruption()
      : core_(make_core({.build = &release_build(), .script = "heap.py"})), file_(core_.path),
        node_(to_address(core_.printed_value("node"))), walked_(expect_clean()) {}

  std::uint64_t expect_clean() {
    const Check check = check_alone(core_);
    EXPECT_EQ(check.status, 0) << check.document.dump(1);
    EXPECT_EQ(check.document.at("verdict"), "clean");
    return check.document.at("objects").at("walked").get<std::uint64_t>();
  }

  /// Plants, checks, takes back; returns the document of the check between.
  json with_word(std::uint64_t address, std::uint64_t value) {
    const std::uint64_t before = file_.word(address);
    file_.set_word(address, value);
    const Check check = check_alone(core_);
    file_.set_word(address, before);
    EXPECT_EQ(check.status, 1) << check.document.dump(1);
    EXPECT_EQ(check.document.at("verdict"), "findings");
    EXPECT_THAT(check.outcome.survivors, testing::IsEmpty());
    return check.document;
  }

  void expect_corrupt_list(std::uint64_t next) {
    const std::uint64_t at = node_ - gc_next_of;
    const json document = with_word(at, next | (file_.word(at) & flag_bits));
    const auto findings = findings_of(document, "list_corrupt");
    ASSERT_EQ(findings.size(), 1U) << document.dump(1);
    EXPECT_EQ(findings.front().at("severity"), "error");
    EXPECT_FALSE(findings.front().at("message").get<std::string>().empty());
    EXPECT_EQ(document.at("complete"), false);
    EXPECT_LT(document.at("objects").at("walked").get<std::uint64_t>(), walked_ + 1);
    EXPECT_EQ(expect_clean(), walked_);
  }

  std::uint64_t next() const { return file_.word(node_ - gc_next_of) & ~flag_bits; }

  Core core_;
  CoreFile file_;
  std::uint64_t node_ = 0;
  std::uint64_t walked_ = 0;
};

TEST_F(Corruption, NullNext) {
  expect_corrupt_list(0);
}

TEST_F(Corruption, UnmappedNext) {
  expect_corrupt_list(file_.unmapped_address());
}

TEST_F(Corruption, NonCanonicalNext) {
  expect_corrupt_list(0xdead'beef'dead'bee8);
}

TEST_F(Corruption, FlagBitInNextOfAListAtRest) {
  const json document = with_word(node_ - gc_next_of, file_.word(node_ - gc_next_of) | 1);
  const auto findings = findings_of(document, "list_corrupt");
  ASSERT_EQ(findings.size(), 1U) << document.dump(1);
  EXPECT_THAT(findings.front().at("message").get<std::string>(), testing::HasSubstr("flag bits"));
}

TEST_F(Corruption, CollectingInPrevOfAListAtRest) {
  const std::uint64_t prev = node_ - gc_next_of + 8;
  const json document = with_word(prev, file_.word(prev) | 2);
  const auto findings = findings_of(document, "list_corrupt");
  ASSERT_EQ(findings.size(), 1U) << document.dump(1);
  EXPECT_THAT(findings.front().at("message").get<std::string>(), testing::HasSubstr("COLLECTING"));
}

TEST_F(Corruption, PrevOfAListHead) {
  const Check before = check_alone(core_);
  for (const json& generation : before.document.at("interpreters").at(0).at("generations")) {
    if (generation.at("objects") > 1) {
      const std::uint64_t head = to_address(generation.at("address").get<std::string>());
      const std::uint64_t last = file_.word(head + 8) & ~flag_bits;
      const json document = with_word(head + 8, file_.word(last + 8) & ~flag_bits);
      EXPECT_EQ(findings_of(document, "list_corrupt").size(), 1U) << document.dump(1);
    }
  }
}

TEST_F(Corruption, CycleToItself) {
  expect_corrupt_list(node_ - gc_next_of);
}

TEST_F(Corruption, CycleBackwards) {
  const std::uint64_t previous = file_.word(node_ - gc_next_of + 8) & ~flag_bits;
  expect_corrupt_list(file_.word(previous + 8) & ~flag_bits);
}

TEST_F(Corruption, NextThatSkipsAnObject) {
  expect_corrupt_list(file_.word(next()) & ~flag_bits);
}

TEST_F(Corruption, TypeThatIsNoType) {
  for (const std::uint64_t type : {std::uint64_t{0}, file_.unmapped_address(), node_}) {
    const json document = with_word(node_ + type_offset, type);
    EXPECT_FALSE(findings_of(document, "object_corrupt").empty()) << document.dump(1);
    EXPECT_EQ(expect_clean(), walked_);
  }
}

TEST_F(Corruption, RefcountThatIsTooSmall) {
  // A lost reference of an object that others still visit: the opposite cause, the same sign.
  const json document = with_word(node_, 1);
  const auto findings = findings_of(document, "negative_gc_refs");
  ASSERT_EQ(findings.size(), 1U) << document.dump(1);
  EXPECT_EQ(to_address(findings.front().at("object").at("address").get<std::string>()), node_);
  EXPECT_EQ(expect_clean(), walked_);
}

TEST_F(Corruption, BothDebuggersSeeTheSame) {
  file_.set_word(node_ - gc_next_of, file_.unmapped_address());
  const Check alone = check_alone(core_);
  ASSERT_FALSE(findings_of(alone.document, "list_corrupt").empty());
  EXPECT_EQ(check_in_gdb(core_).document.at("findings"), alone.document.at("findings"));
  EXPECT_EQ(check_in_lldb(core_).document.at("findings"), alone.document.at("findings"));
}

} // namespace
} // namespace pygc::e2e
