// What a thread was doing when a signal ended it, from stacks made by hand.
#include "common/cpython/collector/crash_stack.h"

#include <csignal>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace pygc::cpython {
namespace {

image::Frame frame(std::string function,
                   std::map<std::string, std::uint64_t, std::less<>> variables = {}) {
  image::Frame result;
  result.function = std::move(function);
  result.variables = std::move(variables);
  return result;
}

TEST(CrashStack, NothingOfTheCollector) {
  const std::vector<image::Frame> frames = {frame("strlen"), frame("_PyEval_EvalFrameDefault")};
  EXPECT_EQ(read_crash_stack(frames).deed, Deed::none);
  EXPECT_EQ(read_crash_stack({}).deed, Deed::none);
}

TEST(CrashStack, TrackedTwice) {
  const std::vector<image::Frame> frames = {
      frame("abort"), frame("_PyObject_AssertFailed", {{"obj", 0x5000}}),
      frame("PyObject_GC_Track"), frame("PyObject_GC_Track", {{"op_raw", 0x5000}}), frame("m_new")};
  const CrashStack stack = read_crash_stack(frames);
  EXPECT_EQ(stack.deed, Deed::track);
  EXPECT_TRUE(stack.asserted);
  EXPECT_FALSE(stack.under_python);
  EXPECT_EQ(stack.object, 0x5000U);
  EXPECT_EQ(frames[stack.caller].function, "m_new");
}

TEST(CrashStack, AVisitHasItsContainer) {
  const std::vector<image::Frame> frames = {frame("visit_decref", {{"op", 0x10}}),
                                            frame("dict_traverse", {{"op", 0x6000}}),
                                            frame("subtract_refs"), frame("gc_collect_main")};
  const CrashStack stack = read_crash_stack(frames);
  EXPECT_EQ(stack.deed, Deed::visit);
  EXPECT_EQ(stack.object, 0x10U);
  EXPECT_EQ(stack.container, 0x6000U);
  EXPECT_EQ(frames[stack.caller].function, "dict_traverse");
}

TEST(CrashStack, PythonCodeUnderAFinalizer) {
  const std::vector<image::Frame> frames = {frame("os_abort"), frame("_PyEval_EvalFrameDefault"),
                                            frame("slot_tp_finalize"), frame("finalize_garbage")};
  const CrashStack stack = read_crash_stack(frames);
  EXPECT_EQ(stack.deed, Deed::finalize);
  EXPECT_TRUE(stack.under_python);
}

TEST(CrashStack, DeallocFunctionsByTheirNames) {
  const std::vector<image::Frame> frames = {frame("Py_DECREF"),
                                            frame("job_dealloc", {{"o", 0x7000}})};
  const CrashStack stack = read_crash_stack(frames);
  EXPECT_EQ(stack.deed, Deed::deallocate);
  EXPECT_EQ(stack.object, 0x7000U);
}

TEST(CrashStack, WhatIsKnownOfAFrameBesideItsName) {
  const std::vector<image::Frame> frames = {frame("memcpy"), frame("job_free"), frame("run")};
  const CrashStack stack = read_crash_stack(frames, [](std::size_t at) {
    return at == 1 ? KnownDeed{.deed = Deed::deallocate, .object = 0x7000, .container = 0}
                   : KnownDeed{};
  });
  EXPECT_EQ(stack.deed, Deed::deallocate);
  EXPECT_EQ(stack.frame, 1U);
  EXPECT_EQ(stack.object, 0x7000U);
  EXPECT_EQ(stack.caller, 2U);
}

TEST(CrashStack, TheObjectOfWhatTheCollectorCalls) {
  const std::vector<image::Frame> frames = {frame("job_clear", {{"self", 0x7000}}),
                                            frame("delete_garbage"), frame("gc_collect_main")};
  const CrashStack stack = read_crash_stack(frames);
  EXPECT_EQ(stack.deed, Deed::clear);
  EXPECT_EQ(stack.object, 0x7000U);
}

TEST(CrashStack, CollectionsOfAnyVersion) {
  for (const char* name : {"gc_collect_main", "gc_collect_increment", "_PyGC_Collect", "_Py_RunGC",
                           "deduce_unreachable"}) {
    const std::vector<image::Frame> frames = {frame("mark_alive"), frame(name)};
    EXPECT_EQ(read_crash_stack(frames).deed, Deed::collect) << name;
  }
}

TEST(CrashStack, OnlySignalsOfDefects) {
  EXPECT_EQ(fatal_signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(fatal_signal_name(SIGTRAP), "");
  EXPECT_EQ(fatal_signal_name(0), "");
}

} // namespace
} // namespace pygc::cpython
