// Frames of 3.8 to 3.10, which are objects, made by hand.
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

constexpr Address back_at = 24;
constexpr Address code_at = 32;
constexpr Address globals_at = 48;
constexpr Address value_stack_at = 64;
constexpr Address last_instruction_at = 72;
constexpr Address variables_at = 80;

/// One thread with one frame on another, two variables each.
class FrameObjects : public testing::TwoFrames {
protected:
  FrameObjects() {
    Layout& layout = heap_.runtime().layout;
    layout.interp_threads = 8;
    layout.thread_next = 0;
    layout.thread_frame_object = 8;
    layout.frame_object_back = back_at;
    layout.frame_object_code = code_at;
    layout.frame_object_valuestack = value_stack_at;
    layout.frame_object_lasti = last_instruction_at;
    layout.frame_object_localsplus = variables_at;
    heap_.image().library().symbols["PyCode_Type"] = heap_.add_type("code", 0);
    heap_.image().library().symbols["PyFrame_Type"] = heap_.add_type("frame", 0);
    code_ = heap_.reserve(128);
    heap_.store(code_ + layout.ob_type, heap_.image().library().symbols["PyCode_Type"]);
    for (Address* frame : {&inner_, &outer_}) {
      *frame = heap_.reserve(16 + 128) + 16;
      heap_.store(*frame + layout.ob_type, heap_.image().library().symbols["PyFrame_Type"]);
      heap_.store(*frame + code_at, code_);
      heap_.store(*frame + value_stack_at, *frame + variables_at + 16);
      heap_.store(*frame + last_instruction_at, 3);
    }
    heap_.store(inner_ + back_at, outer_);
    const Address thread = heap_.reserve(32);
    const Address interpreter = heap_.reserve(64);
    heap_.store(thread + 8, inner_);
    heap_.store(interpreter + 8, thread);
    heap_.runtime().interpreters.front().address = interpreter;
  }

  void set_variable(Address frame, std::size_t index, Address value) {
    heap_.store(frame + variables_at + 8 * index, value);
  }
  void track(Address frame) { heap_.store(frame - 16, 0x1000); }
};

TEST_F(FrameObjects, AreReadFromTheInnermostOutward) {
  set_variable(inner_, 1, 0x1000);
  set_variable(outer_, 0, 0x2000);
  const auto found = read();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].object, 0x1000U);
  EXPECT_EQ(found[0].variable, 1U);
  EXPECT_EQ(found[0].at, SlotAddress{inner_ + variables_at + 8});
  EXPECT_EQ(found[0].code, code_);
  EXPECT_EQ(found[0].instruction, 3U);
  EXPECT_EQ(found[1].object, 0x2000U);
}

TEST_F(FrameObjects, CountBytesWhereTheCodeHasALnotab) {
  heap_.runtime().layout.co_lnotab = 64;
  heap_.store(inner_ + last_instruction_at, 6);
  set_variable(inner_, 0, 0x1000);
  const auto found = read();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].instruction, 3U);
}

TEST_F(FrameObjects, HaveNoInstructionBeforeTheFirst) {
  heap_.store(inner_ + last_instruction_at, 0xffff'ffff);
  set_variable(inner_, 0, 0x1000);
  const auto found = read();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].instruction, 0U);
}

TEST_F(FrameObjects, ATrackedOneVisitsItsOwn) {
  track(inner_);
  set_variable(inner_, 0, 0x1000);
  set_variable(outer_, 0, 0x2000);
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(FrameObjects, WhatIsOnTheValueStackIsNoVariable) {
  set_variable(inner_, 2, 0x1000);
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(FrameObjects, WhatIsNoFrameEndsTheThread) {
  set_variable(outer_, 0, 0x2000);
  heap_.store(inner_ + code_at, heap_.plain_type); // no code object
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(FrameObjects, AValueStackBeforeTheVariablesIsNone) {
  heap_.store(inner_ + value_stack_at, inner_);
  set_variable(inner_, 0, 0x1000);
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(FrameObjects, AValueStackFarAwayIsNone) {
  heap_.store(inner_ + value_stack_at, inner_ + variables_at + (std::uint64_t{1} << 40U));
  set_variable(inner_, 0, 0x1000);
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(FrameObjects, ARingOfThemEnds) {
  heap_.store(outer_ + back_at, inner_);
  set_variable(outer_, 0, 0x2000);
  EXPECT_THAT(objects(), ElementsAre(0x2000U));
}

TEST_F(FrameObjects, AVariableIsFoundByItsSlot) {
  track(inner_);
  set_variable(inner_, 1, 0x2000);
  heap_.finish();
  const auto found = frame_reference_in(heap_.reader(), inner_, {inner_ + variables_at + 8});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->object, 0x2000U);
  EXPECT_EQ(found->variable, 1U);
  EXPECT_FALSE(frame_reference_in(heap_.reader(), inner_, {inner_ + variables_at + 16}));
  EXPECT_FALSE(frame_reference_in(heap_.reader(), inner_, {inner_ + code_at}));
  EXPECT_FALSE(frame_reference_in(heap_.reader(), code_, {code_ + variables_at}));
}

TEST_F(FrameObjects, OwnTheirFields) {
  heap_.finish();
  const pygc::cpython::RunningFrames running(heap_.reader());
  const auto globals = running.field(inner_ + globals_at);
  ASSERT_TRUE(globals);
  EXPECT_EQ(globals->name, "f_globals");
  EXPECT_EQ(globals->code, code_);
  EXPECT_TRUE(globals->owned);
  const auto back = running.field(outer_ + back_at);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "f_back");
  EXPECT_FALSE(running.field(inner_ + value_stack_at));
  EXPECT_FALSE(running.field(inner_ + variables_at));
  EXPECT_FALSE(running.field(inner_ + 16));
}

TEST_F(FrameObjects, ATrackedOneIsNoRootOfItsFields) {
  track(inner_);
  heap_.finish();
  const pygc::cpython::RunningFrames running(heap_.reader());
  EXPECT_FALSE(running.field(inner_ + globals_at));
  EXPECT_TRUE(running.field(outer_ + globals_at));
  EXPECT_EQ(field_around_frame(heap_.reader(), inner_, {inner_ + globals_at}), "f_globals");
  EXPECT_EQ(field_around_frame(heap_.reader(), inner_, {inner_ + variables_at}), "");
  EXPECT_EQ(field_around_frame(heap_.reader(), code_, {code_ + globals_at}), "");
}

TEST_F(FrameObjects, OtherFieldsThanThoseKnownHaveNoNames) {
  heap_.runtime().layout.frame_object_valuestack = value_stack_at - 8;
  for (const Address frame : {inner_, outer_}) {
    heap_.store(frame + value_stack_at - 8, frame + variables_at + 16);
  }
  set_variable(inner_, 0, 0x1000);
  EXPECT_THAT(objects(), ElementsAre(0x1000U));
  EXPECT_FALSE(pygc::cpython::RunningFrames(heap_.reader()).field(inner_ + globals_at));
}

TEST(LineRanges, KnowEachKindOfEntry) {
  const std::vector<std::uint8_t> table = {
      4,   0,    // bytes 0 to 3, the first line
      2,   1,    // one line on
      0,   100,  // a step that one entry cannot hold
      254, 2,    // to byte 259
      2,   0x80, // no line
      2,   0xfe, // two lines back
  };
  const auto line = [&](std::uint64_t unit) { return line_in_ranges(table, 10, unit); };
  EXPECT_EQ(line(0), 10);
  EXPECT_EQ(line(1), 10);
  EXPECT_EQ(line(2), 11);
  EXPECT_EQ(line(3), 113);
  EXPECT_EQ(line(129), 113);
  EXPECT_EQ(line(130), std::nullopt);
  EXPECT_EQ(line(131), 111);
  EXPECT_EQ(line(132), std::nullopt);
  EXPECT_EQ(line_in_ranges({}, 10, 0), std::nullopt);
}

TEST(Lnotab, IsReadToTheInstruction) {
  const std::vector<std::uint8_t> table = {0, 1, 8, 2, 2, 0xff, 255, 0, 1, 4};
  const auto line = [&](std::uint64_t unit) { return line_in_lnotab(table, 10, unit); };
  EXPECT_EQ(line(0), 11);
  EXPECT_EQ(line(3), 11);
  EXPECT_EQ(line(4), 13);
  EXPECT_EQ(line(5), 12);
  EXPECT_EQ(line(132), 12);
  EXPECT_EQ(line(133), 16);
  EXPECT_EQ(line_in_lnotab({}, 10, 7), 10);
}

} // namespace
} // namespace pygc::cpython
