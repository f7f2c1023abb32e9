// Local variables of running functions, in frames made by hand.
#include "common/cpython/objects/frame_remains.h"
#include "common/cpython/objects/frames_in_objects.h"
#include "common/cpython/objects/line_table.h"
#include "tests/unit/support/frames_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::cpython {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// One thread with one frame on another, as 3.11 has them.
class RunningFrames : public testing::TwoFrames {
protected:
  RunningFrames() {
    Layout& layout = heap_.runtime().layout;
    layout.interp_threads = 8;
    layout.thread_next = 0;
    layout.thread_cframe = 8;
    layout.cframe_frame = 8;
    layout.frame_code = 0;
    layout.frame_previous = 8;
    layout.frame_prev_instr = 16;
    layout.frame_stacktop = 24;
    layout.frame_is_entry = 28;
    layout.frame_owner = 29;
    layout.frame_localsplus = 32;
    layout.co_nlocalsplus = 24;
    layout.co_code_adaptive = 64;
    const Address code_type = heap_.add_type("code", 0);
    heap_.image().library().symbols["PyCode_Type"] = code_type;
    code_ = heap_.reserve(128);
    heap_.store(code_ + layout.ob_type, code_type);
    heap_.store(code_ + *layout.co_nlocalsplus, 2);
    for (Address* frame : {&inner_, &outer_}) {
      *frame = heap_.reserve(64);
      heap_.store(*frame, code_);
      heap_.store(*frame + 16, code_ + 64 + 6); // the fourth code unit
      heap_.store(*frame + 24, 0xffff'ffff);    // no stack pointer, no entry, of the thread
    }
    heap_.store(inner_ + 8, outer_);
    const Address thread = heap_.reserve(32);
    const Address cframe = heap_.reserve(32);
    const Address interpreter = heap_.reserve(64);
    heap_.store(thread + 8, cframe);
    heap_.store(cframe + 8, inner_);
    heap_.store(interpreter + 8, thread);
    heap_.runtime().interpreters.front().address = interpreter;
  }

  void set_variable(Address frame, std::size_t index, Address value) {
    heap_.store(frame + 32 + 8 * index, value);
  }
};

TEST_F(RunningFrames, AreReadFromTheInnermostOutward) {
  set_variable(inner_, 1, 0x1000);
  set_variable(outer_, 0, 0x2000);
  const auto found = read();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].object, 0x1000U);
  EXPECT_EQ(found[0].variable, 1U);
  EXPECT_EQ(found[0].at, SlotAddress{inner_ + 40});
  EXPECT_EQ(found[0].instruction, 3U);
  EXPECT_EQ(found[0].code, code_);
  EXPECT_EQ(found[1].object, 0x2000U);
}

TEST_F(RunningFrames, ABorrowedReferenceIsNone) {
  set_variable(inner_, 0, 0x1001);
  set_variable(inner_, 1, 0x1000);
  EXPECT_THAT(objects(), ElementsAre(0x1000U));
}

TEST_F(RunningFrames, AGeneratorVisitsItsOwn) {
  set_variable(inner_, 0, 0x1000);
  set_variable(outer_, 0, 0x2000);
  heap_.store(inner_ + 24, std::uint64_t{1} << 40U | 0xffff'ffff);
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(RunningFrames, AFrameThatEndsReleasesItsReferences) {
  set_variable(inner_, 0, 0x1000);
  set_variable(outer_, 0, 0x2000);
  heap_.store(inner_ + 24, 2); // its stack pointer is stored, though it runs
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(RunningFrames, OneThatHasCalledAnotherHasItsStackPointerStored) {
  set_variable(outer_, 0, 0x2000);
  heap_.store(outer_ + 24, 2);
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(RunningFrames, WhatIsNoFrameEndsTheThread) {
  set_variable(outer_, 0, 0x2000);
  heap_.store(inner_, heap_.plain_type); // no code object
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(RunningFrames, AGeneratorsVariableIsFoundByItsSlot) {
  const Address generator = inner_ - 16;
  heap_.store(inner_ + 24, std::uint64_t{1} << 40U); // owned by a generator
  set_variable(inner_, 1, 0x2000);
  heap_.finish();
  const auto found = frame_reference_in(heap_.reader(), generator, {inner_ + 40});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->object, 0x2000U);
  EXPECT_EQ(found->variable, 1U);
  EXPECT_EQ(found->code, code_);
  EXPECT_EQ(found->instruction, 3U);
  // Behind its variables lies its value stack; the generator's own fields lie before it.
  EXPECT_FALSE(frame_reference_in(heap_.reader(), generator, {inner_ + 48}));
  EXPECT_FALSE(frame_reference_in(heap_.reader(), generator, {generator + 8}));
  EXPECT_FALSE(frame_reference_in(heap_.reader(), generator, {generator}));
}

TEST_F(RunningFrames, AGeneratorsVariableIsFoundByWhatItHolds) {
  const Address generator = inner_ - 16;
  const Address type = heap_.add_type("generator", 0);
  heap_.image().library().symbols["PyGen_Type"] = type;
  heap_.store(generator + heap_.runtime().layout.ob_type, type);
  heap_.store(inner_ + 24, std::uint64_t{1} << 40U); // owned by a generator
  set_variable(inner_, 1, 0x2000);
  set_variable(inner_, 2, 0x3000); // on its value stack
  heap_.finish();
  const auto found = variable_that_holds(heap_.reader(), generator, 0x2000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->variable, 1U);
  EXPECT_FALSE(variable_that_holds(heap_.reader(), generator, 0x3000));
  EXPECT_FALSE(variable_that_holds(heap_.reader(), code_, 0x2000)); // has no frame in it
}

TEST_F(RunningFrames, TheirFieldsAreOwnedOrBorrowed) {
  heap_.store(inner_ + 16, 0x2000);
  heap_.finish();
  const pygc::cpython::RunningFrames running(heap_.reader());
  const auto function = running.field(inner_ + 16);
  ASSERT_TRUE(function);
  EXPECT_EQ(function->name, "f_funcobj");
  EXPECT_EQ(function->code, code_);
  EXPECT_TRUE(function->owned);
  const auto globals = running.field(outer_ + 24);
  ASSERT_TRUE(globals);
  EXPECT_EQ(globals->name, "f_globals");
  EXPECT_FALSE(globals->owned);
  EXPECT_FALSE(running.field(inner_ + 32)); // a variable
  EXPECT_FALSE(running.field(inner_ - 8));
}

TEST_F(RunningFrames, AFrameOfAThreadIsNoObjects) {
  set_variable(inner_, 0, 0x2000);
  heap_.finish();
  EXPECT_FALSE(frame_reference_in(heap_.reader(), inner_ - 16, {inner_ + 32}));
}

TEST_F(RunningFrames, ARingOfFramesEnds) {
  heap_.store(outer_ + 8, inner_);
  set_variable(outer_, 0, 0x2000);
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(RunningFrames, ALayoutWithoutFramesHasNone) {
  heap_.runtime().layout.frame_localsplus.reset();
  set_variable(inner_, 0, 0x1000);
  EXPECT_THAT(objects(), IsEmpty());
}

TEST(LineTable, KnowsEachKindOfEntry) {
  const std::vector<std::uint8_t> table = {
      0x80 | 10U << 3U | 1, 0,    0,             // one line, the same; 2 units
      0x80 | 0U << 3U | 0,  0x12,                // short; 1 unit
      0x80 | 12U << 3U | 0, 0,    0,             // two lines on; 1 unit
      0x80 | 13U << 3U | 0, 0x03,                // no columns, one line back; 1 unit
      0x80 | 15U << 3U | 0,                      // no line; 1 unit
      0x80 | 14U << 3U | 7, 0x48, 0x01, 0, 1, 1, // long, 36 lines on; 8 units
  };
  const auto line = [&](std::uint64_t unit) { return line_in(table, 10, unit); };
  EXPECT_EQ(line(0), 10);
  EXPECT_EQ(line(1), 10);
  EXPECT_EQ(line(2), 10);
  EXPECT_EQ(line(3), 12);
  EXPECT_EQ(line(4), 11);
  EXPECT_EQ(line(5), std::nullopt);
  EXPECT_EQ(line(6), 47);
  EXPECT_EQ(line(13), 47);
  EXPECT_EQ(line(14), std::nullopt);
}

TEST(LineTable, EndsWithATruncatedTable) {
  EXPECT_EQ(line_in({}, 1, 0), std::nullopt);
  const std::vector<std::uint8_t> cut = {0x80 | 14U << 3U, 0x40};
  EXPECT_EQ(line_in(cut, 1, 5), std::nullopt);
}

} // namespace
} // namespace pygc::cpython
