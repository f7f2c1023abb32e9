// What functions that give up are passed, in a target made by hand.
#include "common/cpython/collector/fatal_functions.h"
#include "tests/unit/support/heap_builder.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::cpython {
namespace {

using ::testing::UnorderedElementsAre;

class FatalFunctions : public ::testing::Test {
protected:
  Address text(const std::string& text) {
    const Address at = heap_.reserve(64);
    for (std::size_t i = 0; i < text.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i, std::min<std::size_t>(8, text.size() - i));
      heap_.store(at + i, word);
    }
    return at;
  }
  FatalCall call(Address function, const std::array<std::uint64_t, 5>& arguments) {
    heap_.finish();
    return read_fatal_call(heap_.image(), function, arguments);
  }

  tests::HeapBuilder heap_;
};

TEST_F(FatalFunctions, AreThoseThatTheTargetHas) {
  const Address failed = heap_.add_function("_PyObject_AssertFailed");
  const Address abort = heap_.add_function("abort");
  EXPECT_THAT(fatal_functions(heap_.image(), heap_.runtime()), UnorderedElementsAre(failed, abort));
}

TEST_F(FatalFunctions, AnAssertionAboutAnObject) {
  const Address function = heap_.add_function("_PyObject_AssertFailed");
  const FatalCall told = call(function, {0x1234, text("op != NULL"), text("too late"),
                                         text("/src/Python/gc.c"), 0xabcd'0000'0000'000c});
  EXPECT_EQ(told.object, 0x1234U);
  EXPECT_EQ(describe(told), "assertion 'op != NULL', \"too late\" (gc.c:12)");
}

TEST_F(FatalFunctions, AnAssertionOfTheCLibrary) {
  const Address function = heap_.add_function("__assert_fail");
  const FatalCall told = call(function, {text("a == b"), text("b.c"), 7, 0, 0});
  EXPECT_EQ(told.object, 0U);
  EXPECT_EQ(describe(told), "assertion 'a == b' (b.c:7)");
}

TEST_F(FatalFunctions, AFatalError) {
  const Address function = heap_.add_function("_Py_FatalErrorFunc");
  EXPECT_EQ(describe(call(function, {text("f"), text("no thread state"), 0, 0, 0})),
            "fatal error 'no thread state'");
}

TEST_F(FatalFunctions, WhatCannotBeReadIsLeftOut) {
  const Address function = heap_.add_function("__assert_fail");
  const FatalCall told = call(function, {0xdead'0000, 1, 0xffff'ffff, 0, 0});
  EXPECT_EQ(told.line, 0);
  EXPECT_EQ(describe(told), "__assert_fail()");
}

TEST_F(FatalFunctions, AnUnknownFunctionHasItsNameOnly) {
  const Address function = heap_.add_function("give_up");
  EXPECT_EQ(describe(call(function, {1, 2, 3, 4, 5})), "give_up()");
}

} // namespace
} // namespace pygc::cpython
