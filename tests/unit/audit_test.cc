// The audit's policy, on heaps made by hand: the facts of a check, judged by function.
#include "common/analysis/audit/audit.h"
#include "common/analysis/facts/incidents.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::HeapBuilder;
using tests::TableReplayer;

constexpr Address cache = tests::static_base + 0x40;

class Audits : public ::testing::Test {
protected:
  Audits() {
    for (const std::uint64_t refcount : {1U, 1U, 4U}) {
      heap_.add_object(refcount);
    }
    heap_.image().library().symbols["cache"] = cache;
    heap_.finish();
    replayer_.emplace(heap_.objects(), tests::Visits{{2, 2}, {2}, {}});
    replayer_->set_slot(0, 0, heap_.object(0) + 24);
    replayer_->set_slot(0, 1, heap_.object(0) + 32);
    replayer_->set_slot(1, 0, heap_.object(1) + 24);
  }

  /// Of the one function that all containers have.
  std::vector<Violation> violations() {
    const auto report = audit(heap_.input(*replayer_));
    EXPECT_TRUE(report) << report.error().reason;
    EXPECT_THAT(report->functions, SizeIs(1));
    EXPECT_EQ(report->functions[0].name, "C_traverse");
    EXPECT_EQ(report->functions[0].instances, 3U);
    return report->functions[0].violations;
  }

  HeapBuilder heap_;
  std::optional<TableReplayer> replayer_;
};

TEST_F(Audits, FindNothingOfARightFunction) {
  EXPECT_THAT(violations(), IsEmpty());
}

TEST_F(Audits, FindAVisitToAStaticVariable) {
  replayer_->set_slot(1, 0, cache);
  const auto found = violations();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, Rule::unowned_visit);
  EXPECT_TRUE(found[0].proven);
  EXPECT_EQ(found[0].slot, SlotAddress{cache});
  EXPECT_EQ(found[0].slot_name, "cache");
  EXPECT_EQ(found[0].owner, Owner::static_storage);
  EXPECT_THAT(found[0].message, HasSubstr("library's static storage"));
}

TEST_F(Audits, FindASlotThatIsVisitedTwice) {
  replayer_->set_slot(0, 1, heap_.object(0) + 24);
  const auto found = violations();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, Rule::duplicate_visit);
  EXPECT_THAT(found[0].message, HasSubstr("visits one slot 2 times"));
}

TEST_F(Audits, NameTheNextCommand) {
  replayer_->set_slot(1, 0, cache);
  EXPECT_EQ(violations()[0].next[0], fmt::format("pygc object {:#x}", heap_.object(1)));
}

TEST(AuditOfFamilies, IsOneViolationForTypesOfOneFunction) {
  HeapBuilder heap;
  heap.runtime().layout.ht_module = 0; // heap types are to be visited
  const Address traverse = heap.add_function("O_traverse");
  std::vector<Address> types;
  for (int i = 0; i < 5; ++i) {
    const Address type =
        heap.add_type("O", traverse, std::uint64_t{1} << cpython::type_flag::heap_type);
    heap.store(type, 1);
    types.push_back(type);
  }
  for (const Address type : types) {
    heap.add_object(1, type);
  }
  for (const Address type : types) {
    heap.track(type, 1);
  }
  heap.finish();
  TableReplayer replayer(heap.objects(), tests::Visits(heap.objects().size()));
  const auto report = audit(heap.input(replayer));
  ASSERT_TRUE(report) << report.error().reason;
  const auto function = std::ranges::find(report->functions, "O_traverse", &AuditedFunction::name);
  ASSERT_NE(function, report->functions.end());
  ASSERT_THAT(function->violations, SizeIs(1));
  const Violation& violation = function->violations[0];
  EXPECT_EQ(violation.rule, Rule::type_not_visited);
  EXPECT_EQ(violation.instances, 5U);
  EXPECT_EQ(violation.type_count, 5U);
  EXPECT_THAT(violation.types, SizeIs(1)); // all have one name
  EXPECT_THAT(violation.message, HasSubstr("5 heap types"));
}

TEST_F(Audits, PutIncidentsAsTheCheckDoes) {
  const replay::Incident timeout{.container = 1, .outcome = replay::Outcome::timeout};
  replayer_->add_traced_incident(timeout);
  const auto found = violations();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, Rule::timeout);
  EXPECT_EQ(found[0].message, describe_incident(timeout, "?"));
}

TEST_F(Audits, FailWithoutATrace) {
  replayer_->fail_tracing({.kind = ErrorKind::replayer, .reason = "it died"});
  const auto report = audit(heap_.input(*replayer_));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().reason, "it died");
}

} // namespace
} // namespace pygc::analysis
