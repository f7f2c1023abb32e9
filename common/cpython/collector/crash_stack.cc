#include "common/cpython/collector/crash_stack.h"

#include "common/cpython/collector/phase.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <utility>

namespace pygc::cpython {
namespace {

/// Functions of Modules/gcmodule.c, Python/gc.c, Objects/object.c and pycore_gc.h, pycore_object.h.
constexpr std::array<std::pair<std::string_view, Deed>, 25> deeds = {{
    {"PyObject_GC_Track", Deed::track},
    {"_PyObject_GC_Track", Deed::track},
    {"_PyObject_GC_TRACK", Deed::track},
    {"_PyObject_GC_TRACK_impl", Deed::track},
    {"PyObject_GC_UnTrack", Deed::untrack},
    {"_PyObject_GC_UnTrack", Deed::untrack},
    {"_PyObject_GC_UNTRACK", Deed::untrack},
    {"_PyObject_GC_UNTRACK_impl", Deed::untrack},
    {"PyObject_GC_Del", Deed::unlink},
    {"validate_list", Deed::validate},
    {"visit_validate", Deed::visit},
    {"visit_decref", Deed::visit},
    {"visit_reachable", Deed::visit},
    {"visit_move", Deed::visit},
    {"_Py_Dealloc", Deed::deallocate},
    {"subtype_dealloc", Deed::deallocate},
    {"PyObject_CallFinalizer", Deed::finalize},
    {"PyObject_CallFinalizerFromDealloc", Deed::finalize},
    {"finalize_garbage", Deed::finalize},
    {"delete_garbage", Deed::clear},
    {"handle_weakrefs", Deed::callback},
    {"handle_weakref_callbacks", Deed::callback},
    {"_Py_NegativeRefcount", Deed::check_count},
    {"deduce_unreachable", Deed::collect},
    {"collect", Deed::collect},
}};

/// With what names of functions begin that run a collection: gc_collect_main, gc_collect_increment,
/// _PyGC_CollectNoFail, _Py_RunGC, ...
constexpr std::array<std::string_view, 4> collections = {"gc_collect", "_PyGC_Collect",
                                                         "PyGC_Collect", "_Py_RunGC"};

constexpr std::array<std::string_view, 8> object_names = {"op", "op_raw", "obj", "self",
                                                          "o",  "object", "ob",  "v"};

Deed deed_of(std::string_view function) {
  const auto* const known =
      std::ranges::find(deeds, function, &std::pair<std::string_view, Deed>::first);
  if (known != deeds.end()) {
    return known->second;
  }
  const bool collects = std::ranges::any_of(
      collections, [&](std::string_view name) { return function.starts_with(name); });
  if (collects || phase_named(function) != Phase::unknown) {
    return Deed::collect;
  }
  return function.ends_with("_dealloc") ? Deed::deallocate : Deed::none;
}

Address variable(const image::Frame& frame, std::string_view name) {
  const auto found = frame.variables.find(name);
  return found == frame.variables.end() ? 0 : found->second;
}

Address object_of(const image::Frame& frame) {
  for (const std::string_view name : object_names) {
    if (const Address object = variable(frame, name)) {
      return object;
    }
  }
  return 0;
}

/// With several copies of a call on the stack the outermost one has its argument: its own helpers,
/// inlined or not, lie between it and the one who called for it.
std::size_t outermost(std::span<const image::Frame> frames, std::size_t frame, Deed deed) {
  while (frame + 1 < frames.size() && deed_of(frames[frame + 1].function) == deed &&
         deed != Deed::deallocate) {
    ++frame;
  }
  return frame;
}

/// Of a function that the collector calls through a type, and that is known by what it is called
/// with: the frame within has it, too.
Address object_of_called(std::span<const image::Frame> frames, const CrashStack& stack) {
  const bool passes =
      stack.deed == Deed::deallocate || stack.deed == Deed::clear || stack.deed == Deed::finalize;
  return passes && stack.frame > 0 ? object_of(frames[stack.frame - 1]) : 0;
}

} // namespace

std::string_view deed_text(Deed deed) {
  constexpr std::array<std::string_view, 12> texts = {
      "",
      "tracking an object",
      "untracking an object",
      "taking an object off the collector's lists to free it",
      "checking the collector's lists",
      "visiting what a container refers to",
      "deallocating an object",
      "clearing garbage",
      "finalizing an object",
      "handling weak references to garbage",
      "checking a reference count that fell below zero",
      "collecting",
  };
  return texts.at(std::to_underlying(deed));
}

CrashStack read_crash_stack(std::span<const image::Frame> frames, const DeedOfFrame& known) {
  CrashStack stack;
  stack.caller = frames.size();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const image::Frame& frame = frames[i];
    if (frame.function.starts_with("_PyEval_EvalFrame")) {
      stack.under_python = true;
    }
    if (frame.function == "_PyObject_AssertFailed") {
      stack.asserted = true;
      stack.object = variable(frame, "obj");
    }
    stack.deed = deed_of(frame.function);
    if (known && (stack.deed == Deed::none || stack.deed == Deed::deallocate)) {
      const KnownDeed more = known(i);
      stack.deed = more.deed == Deed::none ? stack.deed : more.deed;
      stack.object = stack.object == 0 ? more.object : stack.object;
      stack.container = more.container;
    }
    if (stack.deed == Deed::none) {
      continue;
    }
    stack.frame = i;
    const std::size_t outer = outermost(frames, i, stack.deed);
    for (std::size_t k = i; k <= outer && stack.object == 0; ++k) {
      stack.object = stack.deed == Deed::visit && stack.container != 0 ? 0 : object_of(frames[k]);
    }
    if (stack.object == 0) {
      stack.object = object_of_called(frames, stack);
    }
    if (stack.deed == Deed::visit && stack.container == 0) {
      stack.container = variable(frame, "parent");
    }
    stack.caller = outer + 1;
    if (stack.deed == Deed::visit && stack.container == 0 && stack.caller < frames.size()) {
      stack.container = object_of(frames[stack.caller]);
    }
    break;
  }
  return stack;
}

std::string_view fatal_signal_name(int signal) {
  switch (signal) {
  case SIGSEGV:
    return "SIGSEGV";
  case SIGBUS:
    return "SIGBUS";
  case SIGABRT:
    return "SIGABRT";
  case SIGILL:
    return "SIGILL";
  case SIGFPE:
    return "SIGFPE";
  default:
    return {};
  }
}

} // namespace pygc::cpython
