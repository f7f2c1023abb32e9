// What a thread that a signal ended was doing, by the slots of types that its functions fill.
#include "common/analysis/check/crash.h"
#include "common/analysis/facts/crash_facts.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pygc::analysis {
namespace {

using cpython::Deed;

class CrashOfSlots : public ::testing::Test {
protected:
  CrashOfSlots() {
    cpython::Layout& layout = heap.runtime().layout;
    layout.tp_itemsize = 152; // tp_dealloc is the next word
    type = heap.add_type("pkg.Job", heap.add_function("visits"));
    derived = heap.add_type("Derived", heap.add_function("subtype"));
    heap.store(derived + layout.tp_base, type);
    fill(layout.tp_itemsize + 8, "frees");
    fill(layout.tp_traverse + 8, "clears");
    fill(layout.tp_is_gc + 64, "finalizes");
    object = heap.object(heap.add_object(1, derived));
    stack = heap.reserve(1024);
    thread.tid = 5;
    thread.signal = SIGSEGV;
    thread.sp = stack;
  }
  void fill(Address offset, const std::string& name) {
    heap.store(type + offset, heap.add_function(name));
  }
  image::Frame frame(const std::string& name, Address depth) {
    image::Frame result;
    result.function = name;
    result.pc = heap.image().library().symbols[name] + 5;
    result.cfa = stack + depth;
    return result;
  }
  CrashFacts gather(std::vector<image::Frame> frames) {
    heap.threads() = {thread};
    heap.image().frames = std::move(frames);
    heap.finish();
    tests::TableReplayer replayer({}, {});
    return gather_crash(heap.input(replayer)).value_or(CrashFacts{});
  }

  tests::HeapBuilder heap;
  Address type = 0;
  Address derived = 0;
  Address object = 0;
  Address stack = 0;
  target::Thread thread;
};

TEST_F(CrashOfSlots, ADeallocWhateverItIsCalled) {
  image::Frame innermost = frame("frees", 64);
  innermost.registers[3] = object;
  const CrashFacts crash = gather({innermost, frame("visits", 128)});
  EXPECT_EQ(crash.stack.deed, Deed::deallocate);
  EXPECT_EQ(crash.stack.object, object);
  EXPECT_EQ(crash.called, "frees");
  EXPECT_EQ(crash.caller, "visits");
}

/// None, a number: most types are not the collector's.
TEST_F(CrashOfSlots, AnObjectOfATypeWithoutTheCollectorsFlagIsOne) {
  heap.store(derived + heap.runtime().layout.tp_flags, 0);
  image::Frame innermost = frame("frees", 64);
  innermost.registers[3] = object;
  const CrashFacts crash = gather({innermost});
  Explainer explainer(heap.image(), heap.reader(), heap.heap());
  EXPECT_EQ(describe_crash(crash, explainer).object_state, "its reference count is 1");
  CrashFacts tracking = crash;
  tracking.stack.deed = Deed::track;
  const std::string state = describe_crash(tracking, explainer).object_state;
  EXPECT_NE(state.find("not a GC type"), std::string::npos) << state;
}

TEST_F(CrashOfSlots, AClearWhoseObjectIsOnItsStack) {
  heap.store(stack + 24, object);
  const CrashFacts crash = gather({frame("other", 16), frame("clears", 64)});
  EXPECT_EQ(crash.stack.deed, Deed::clear);
  EXPECT_EQ(crash.stack.object, object);
  EXPECT_EQ(crash.stack.frame, 1U);
}

TEST_F(CrashOfSlots, ACallThatDoesNotReturnMayEndItsFunction) {
  heap.store(stack + 24, object);
  image::Frame caller = frame("frees", 64);
  caller.pc = heap.image().library().symbols["frees"] + 16; // where the next one begins
  const CrashFacts crash = gather({frame("abort", 16), caller});
  EXPECT_EQ(crash.stack.deed, Deed::deallocate);
}

TEST_F(CrashOfSlots, ATraverseFunctionHasItsContainer) {
  image::Frame innermost = frame("visits", 64);
  innermost.variables["self"] = object;
  const CrashFacts crash = gather({innermost});
  EXPECT_EQ(crash.stack.deed, Deed::visit);
  EXPECT_EQ(crash.stack.container, object);
  EXPECT_EQ(crash.stack.object, 0U);
}

TEST_F(CrashOfSlots, AFinalizerWithoutASymbol) {
  image::Frame innermost = frame("finalizes", 64);
  innermost.registers[3] = object;
  heap.image().library().symbols.erase("finalizes");
  EXPECT_EQ(gather({innermost}).stack.deed, Deed::finalize);
}

TEST_F(CrashOfSlots, FunctionsOfOtherTypesAreNone) {
  image::Frame innermost = frame("frees", 64);
  innermost.registers[3] = heap.object(heap.add_object(1)); // of a type without them
  EXPECT_EQ(gather({innermost}).stack.deed, Deed::none);
}

TEST_F(CrashOfSlots, AStackThatHasOverflowedIsToldWithWhatFillsIt) {
  image::Frame innermost = frame("frees", 64);
  innermost.registers[3] = object;
  thread.sp = tests::dynamic_base + 8; // nothing lies below, and the area above
  const CrashFacts crash = gather({innermost, frame("frees", 128), frame("frees", 192)});
  EXPECT_TRUE(crash.stack_overflow);
  EXPECT_EQ(crash.repeated, 3U);
}

TEST_F(CrashOfSlots, AnySignalThatTellsOfNoDefectIsNoCrash) {
  thread.signal = SIGTERM;
  EXPECT_EQ(gather({frame("frees", 64)}).signal, 0);
}

} // namespace
} // namespace pygc::analysis
