// Which words of an object the audit takes for references that are not visited.
#include "common/analysis/audit/audit.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::HeapBuilder;
using tests::TableReplayer;

constexpr Address field = 32;

/// Two containers of one type, and an object with a reference that no visit accounts for.
class AuditedFields : public ::testing::Test {
protected:
  void add_containers(Address type = 0) {
    for (int i = 0; i < 2; ++i) {
      heap_.add_object(1, type);
    }
    heap_.add_object(1);
    heap_.store(heap_.object(0) + field, heap_.object(2));
  }

  std::vector<Violation> found(const tests::Visits& visits = {{}, {}, {}}) {
    heap_.finish();
    TableReplayer replayer(heap_.objects(), visits);
    const auto report = audit(heap_.input(replayer));
    EXPECT_TRUE(report) << report.error().reason;
    std::vector<Violation> violations;
    for (const AuditedFunction& function : report->functions) {
      violations.insert(violations.end(), function.violations.begin(), function.violations.end());
    }
    return violations;
  }

  /// A type of which `symbol` names the base.
  Address add_derived(const std::string& symbol, const std::string& name) {
    const Address base = heap_.add_type(name, heap_.add_function(name + "_traverse"));
    heap_.image().library().symbols[symbol] = base;
    const Address derived = heap_.add_type("Derived", heap_.add_function("Derived_traverse"));
    heap_.store(derived + heap_.runtime().layout.tp_base, base);
    return derived;
  }

  HeapBuilder heap_;
};

TEST_F(AuditedFields, AReferenceThatIsNotVisitedIsLikely) {
  add_containers();
  const auto violations = found();
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].rule, Rule::field_not_visited);
  EXPECT_FALSE(violations[0].proven); // the reference may be another's, which has no word
  EXPECT_EQ(violations[0].object.address, heap_.object(0));
  EXPECT_THAT(violations[0].message, HasSubstr("unless one was leaked"));
}

TEST_F(AuditedFields, ACopyOfWhatIsVisitedIsNone) {
  add_containers();
  EXPECT_THAT(found({{2}, {}, {}}), IsEmpty());
}

TEST_F(AuditedFields, ANumberIsNone) {
  add_containers();
  heap_.store(heap_.object(1) + field, 0x12'3457);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AuditedFields, NothingInAnotherInstanceIsNoNumber) {
  add_containers();
  heap_.store(heap_.object(1) + field, heap_.plain_type); // an object that is not collected
  EXPECT_THAT(found(), SizeIs(1));
}

TEST_F(AuditedFields, WhatAWeakReferenceRefersToIsBorrowed) {
  add_containers(add_derived("_PyWeakref_RefType", "weakref"));
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AuditedFields, TheVersionOfADictIsANumber) {
  add_containers(add_derived("PyDict_Type", "dict"));
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(AuditedFields, WhatASubclassOfTheseAddsIsLookedAt) {
  const Address derived = add_derived("_PyWeakref_RefType", "weakref");
  heap_.store(heap_.image().library().symbols["_PyWeakref_RefType"] +
                  heap_.runtime().layout.tp_basicsize,
              field);
  add_containers(derived);
  EXPECT_THAT(found(), SizeIs(1));
}

TEST_F(AuditedFields, WhatAFrameBorrowsIsNone) {
  add_containers(add_derived("PyFrame_Type", "frame"));
  EXPECT_THAT(found(), IsEmpty());
}

/// What lies behind the digits of an int is not its own, whether ob_size is a tag or a count.
class AuditedInts : public AuditedFields, public ::testing::WithParamInterface<bool> {
protected:
  void add_int(std::uint64_t size) {
    const bool tagged = GetParam();
    const std::uint64_t subclass = std::uint64_t{1} << 24U;
    const Address type = heap_.add_type("T", heap_.add_function("T_traverse"), subclass);
    heap_.store(type + heap_.runtime().layout.tp_basicsize, 24);
    heap_.store(type + heap_.runtime().layout.tp_itemsize, 4);
    const Address zero = heap_.reserve(32);
    heap_.store(zero + 16, tagged ? 1 : 0);
    heap_.image().library().symbols["_Py_FalseStruct"] = zero;
    add_containers(type);
    heap_.store(heap_.object(0) + 16, tagged ? size << 3U : size);
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, AuditedInts, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "tagged" : "counted"; });

TEST_P(AuditedInts, EndWithTheirDigits) {
  add_int(2); // up to the field
  EXPECT_THAT(found(), IsEmpty());
}

TEST_P(AuditedInts, OfManyDigitsAreLookedAt) {
  add_int(4);
  EXPECT_THAT(found(), SizeIs(1));
}

} // namespace
} // namespace pygc::analysis
