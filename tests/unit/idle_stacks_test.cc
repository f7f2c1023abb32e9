// Which parts of stacks nobody uses.
#include "common/image/process/idle_stacks.h"

#include <gtest/gtest.h>

namespace pygc::image {
namespace {

constexpr Address stack = 0x7f00'0000'0000;
constexpr Address stack_end = stack + 0x80'0000;
constexpr Address pointer = stack_end - 0x3000;
constexpr Address own_data = stack_end - 0x940; // where pthread_create puts it

class IdleStacks : public ::testing::Test {
protected:
  IdleStacks() {
    EXPECT_TRUE(memory_.add({.start = stack,
                             .end = stack_end,
                             .source = Source::zero,
                             .permissions = {true, true, false},
                             .why_missing = {}}));
    memory_.sort();
  }

  std::vector<Range> of(const std::vector<target::Thread>& threads) const {
    return idle_stacks(memory_, threads);
  }

  static target::Thread thread(Address sp, Address thread_pointer) {
    target::Thread thread;
    thread.sp = sp;
    thread.thread_pointer = thread_pointer;
    return thread;
  }

private:
  AddressSpace memory_;
};

TEST_F(IdleStacks, EndAPageBelowTheStackPointer) {
  const auto idle = of({thread(pointer, own_data)});
  ASSERT_EQ(idle.size(), 1U);
  EXPECT_EQ(idle.front().start, stack);
  EXPECT_EQ(idle.front().end, pointer - 0x1000); // the red zone reaches into that page
}

TEST_F(IdleStacks, NoneWhereTheThreadsDataIsElsewhere) {
  EXPECT_TRUE(of({thread(pointer, 0x7f01'0000'0000)}).empty()); // the main thread, a coroutine
  EXPECT_TRUE(of({thread(pointer, pointer - 0x1000)}).empty());
  EXPECT_TRUE(of({thread(stack + 0x3000, stack_end - 0x2'0000)}).empty());
}

TEST_F(IdleStacks, NoneThatHoldsAnotherThreadsStack) {
  EXPECT_TRUE(of({thread(pointer, own_data), thread(stack + 0x2000, stack + 0x4000)}).empty());
}

TEST_F(IdleStacks, NoneWithoutMemoryOrWithoutASinglePage) {
  EXPECT_TRUE(of({thread(stack_end + 0x1000, stack_end + 0x2000)}).empty());
  EXPECT_TRUE(of({thread(stack + 0x40, own_data)}).empty());
  EXPECT_TRUE(of({thread(64, 128)}).empty());
}

} // namespace
} // namespace pygc::image
