#include "common/analysis/check/crash.h"

#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t stack_limit = 16; // frames told

/// "function (file.so, file.c:12)"
std::string place_text(const std::string& function, const std::string& module,
                       const std::string& line) {
  return module.empty()
             ? function
             : fmt::format("{} ({}{}{})", function, module, line.empty() ? "" : ", ", line);
}

/// What is done to objects of GC types alone.
bool is_of_lists(cpython::Deed deed) {
  using enum cpython::Deed;
  return deed == track || deed == untrack || deed == unlink || deed == validate;
}

std::string object_state(const CrashFacts& crash, const ObjectState& object) {
  if (!object.readable) {
    return "it cannot be read";
  }
  // Most objects that are deallocated are of types without the collector's flag.
  const bool is_object =
      object.type_problem.empty() || (object.of_type && !is_of_lists(crash.stack.deed));
  std::string text = !is_object ? "it is no object: " + object.type_problem
                     : object.refcount == 0
                         ? "its reference count is 0"
                         : "its reference count is " + std::to_string(object.refcount);
  if (crash.stack.deed == cpython::Deed::track && object.tracked) {
    text += ", and it is tracked already";
  }
  if (crash.stack.deed == cpython::Deed::deallocate && object.tracked) {
    text += ", and it is still tracked";
  }
  return text;
}

/// The collector's own calls are as their caller made them; what it calls is another's.
bool is_callers(cpython::Deed deed) {
  using enum cpython::Deed;
  return is_of_lists(deed) || deed == check_count;
}

const std::string& blamed(const CrashFacts& crash, const CrashView& view) {
  if (is_callers(crash.stack.deed) && !view.caller.empty()) {
    return view.caller;
  }
  return view.called.empty() ? view.function : view.called;
}

/// "clear_it (a.so, a.c:3) under delete_garbage"
std::string where_text(const CrashView& view) {
  if (view.called.empty()) {
    return view.function;
  }
  const std::string called = place_text(view.called, view.called_module, view.called_line);
  return view.called == view.function ? called : fmt::format("{} under {}", called, view.function);
}

} // namespace

CrashView describe_crash(const CrashFacts& crash, Explainer& explainer) {
  CrashView view;
  view.signal = std::string(cpython::fatal_signal_name(crash.signal));
  view.tid = crash.tid;
  view.doing = std::string(cpython::deed_text(crash.stack.deed));
  view.stack.assign(crash.functions.begin(),
                    crash.functions.begin() +
                        static_cast<std::ptrdiff_t>(std::min(crash.functions.size(), stack_limit)));
  view.stack_overflow = crash.stack_overflow;
  view.repeated = crash.stack_overflow ? crash.repeated : 0;
  if (crash.stack.deed == cpython::Deed::none) {
    return view;
  }
  view.function = crash.functions[crash.stack.frame];
  view.caller = crash.caller;
  view.caller_module = crash.caller_module;
  view.caller_line = crash.caller_line;
  if (!is_callers(crash.stack.deed)) {
    view.called = crash.called;
    view.called_module = crash.called_module;
    view.called_line = crash.called_line;
  }
  if (crash.stack.object != 0) {
    const ObjectState state = explainer.state(crash.stack.object);
    if (state.readable) {
      view.object = explainer.object(crash.stack.object);
    }
    view.object_state = object_state(crash, state);
  }
  if (crash.stack.container != 0 && explainer.state(crash.stack.container).type_problem.empty()) {
    view.container = explainer.object(crash.stack.container);
  }
  return view;
}

Detection detect_crash(const Facts& facts, Explainer& explainer) {
  if (!facts.crash || facts.crash->stack.deed == cpython::Deed::none) {
    return {};
  }
  const CrashFacts& crash = *facts.crash;
  const CrashView view = describe_crash(crash, explainer);
  Finding finding;
  finding.kind = FindingKind::crash;
  finding.severity = crash.stack.under_python ? Severity::warning : Severity::error;
  finding.object = view.object;
  finding.function = blamed(crash, view);
  finding.message =
      fmt::format("{} ended the process in {}, {}", view.signal, where_text(view), view.doing);
  if (crash.stack.object != 0) {
    finding.message += fmt::format(" at {:#x}: {}", crash.stack.object, view.object_state);
  }
  if (view.container) {
    finding.message += fmt::format("; the container is {}", view.container->summary);
  }
  if (!view.caller.empty()) {
    finding.message +=
        "; called by " + place_text(view.caller, view.caller_module, view.caller_line);
  }
  finding.message += ".";
  if (crash.stack_overflow) {
    finding.message += fmt::format(
        " The stack of the thread has overflowed{}.",
        crash.repeated > 1 ? fmt::format(": {} of its {} innermost frames are of {}",
                                         crash.repeated, crash.functions.size(), crash.called)
                           : std::string{});
  }
  if (crash.stack.under_python) {
    finding.message += " Python code that it called is what the signal ended.";
  }
  if (crash.stack.deed == cpython::Deed::track && explainer.state(crash.stack.object).tracked) {
    finding.fix = "track the object once: tp_alloc (PyType_GenericAlloc) does it already";
  }
  Detection detection;
  detection.findings.push_back(std::move(finding));
  return detection;
}

} // namespace pygc::analysis
