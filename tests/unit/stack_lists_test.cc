// Lists of a running collection whose heads lie on a thread's stack.
#include "common/cpython/collector/stack_lists.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>

namespace pygc::cpython {
namespace {

using tests::HeapBuilder;

/// A stack of 64 words, the thread's data behind it, and an arena behind that, in one mapping.
class StackLists : public ::testing::Test {
protected:
  StackLists() {
    stack_ = heap_.reserve(512);
    thread_data_ = heap_.reserve(64);
    interpreter().collecting = true;
    interpreter().spaces[0].head = heap_.reserve(16);
    heap_.threads()[0].sp = stack_;
    heap_.threads()[0].thread_pointer = thread_data_;
  }

  Interpreter& interpreter() { return heap_.runtime().interpreters[0]; }
  Address object() { return heap_.object(heap_.add_object(1)) - 16; }
  void link(Address from, Address to) {
    heap_.store(from, to);
    heap_.store(to + 8, from);
  }
  void ring(Address head, std::initializer_list<Address> nodes) {
    Address before = head;
    for (const Address node : nodes) {
      link(before, node);
      before = node;
    }
    link(before, head);
  }
  std::size_t find() {
    heap_.finish();
    return find_stack_lists(heap_.image().memory(), heap_.threads(), heap_.runtime());
  }

  HeapBuilder heap_;
  Address stack_ = 0;
  Address thread_data_ = 0;
};

TEST_F(StackLists, FindsAHead) {
  ring(stack_ + 0x40, {object(), object()});
  EXPECT_EQ(find(), 1U);
  ASSERT_EQ(interpreter().spaces.size(), 2U);
  EXPECT_EQ(interpreter().spaces[1].head, stack_ + 0x40);
  EXPECT_EQ(interpreter().spaces[1].kind, SpaceKind::running);
}

TEST_F(StackLists, NothingWhenNoCollectionRuns) {
  interpreter().collecting = false;
  ring(stack_ + 0x40, {object()});
  EXPECT_EQ(find(), 0U);
}

TEST_F(StackLists, AStackEndsWhereTheThreadsDataBegins) {
  ring(heap_.reserve(16), {object(), object()}); // in the arena
  EXPECT_EQ(find(), 0U);
}

TEST_F(StackLists, AnObjectIsNoHead) {
  heap_.threads()[0].thread_pointer = 0; // its bounds are not known
  ring(interpreter().spaces[0].head, {object(), object(), object()});
  EXPECT_EQ(find(), 0U);
}

TEST_F(StackLists, ARingOfAGenerationIsNotTheStacks) {
  const Address first = object();
  ring(interpreter().spaces[0].head, {first, object(), stack_ + 0x40});
  EXPECT_EQ(find(), 0U);
}

TEST_F(StackLists, LooksAtManyThreads) {
  heap_.threads().insert(heap_.threads().begin(), 1000, target::Thread{});
  ring(stack_ + 0x40, {object()});
  EXPECT_EQ(find(), 1U);
}

} // namespace
} // namespace pygc::cpython
