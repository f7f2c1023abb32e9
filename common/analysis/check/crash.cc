#include "common/analysis/check/crash.h"

#include "common/analysis/check/parts.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t stack_limit = 16; // frames told

/// "caller (file.so, file.c:12)"
std::string caller_text(const CrashFacts& crash) {
  std::string text = crash.caller;
  if (!crash.caller_module.empty()) {
    text += fmt::format(" ({}{}{})", crash.caller_module, crash.caller_line.empty() ? "" : ", ",
                        crash.caller_line);
  }
  return text;
}

std::string object_state(const CrashFacts& crash, const ObjectState& object) {
  if (!object.readable) {
    return "it cannot be read";
  }
  std::string text = !object.type_problem.empty() ? "it is no object: " + object.type_problem
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

} // namespace

CrashView describe_crash(const CrashFacts& crash, Explainer& explainer) {
  CrashView view;
  view.signal = std::string(cpython::fatal_signal_name(crash.signal));
  view.tid = crash.tid;
  view.doing = std::string(cpython::deed_text(crash.stack.deed));
  view.stack.assign(crash.functions.begin(),
                    crash.functions.begin() +
                        static_cast<std::ptrdiff_t>(std::min(crash.functions.size(), stack_limit)));
  if (crash.stack.deed == cpython::Deed::none) {
    return view;
  }
  view.function = crash.functions[crash.stack.frame];
  view.caller = crash.caller;
  view.caller_module = crash.caller_module;
  view.caller_line = crash.caller_line;
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
  finding.function = view.caller.empty() ? view.function : view.caller;
  finding.message =
      fmt::format("{} ended the process in {}, {}", view.signal, view.function, view.doing);
  if (crash.stack.object != 0) {
    finding.message += fmt::format(" at {:#x}: {}", crash.stack.object, view.object_state);
  }
  if (view.container) {
    finding.message += fmt::format("; the container is {}", view.container->summary);
  }
  if (!view.caller.empty()) {
    finding.message += "; called by " + caller_text(crash);
  }
  finding.message += ".";
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
