#include "common/analysis/facts/crash_facts.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

constexpr std::size_t frame_limit = 256;

} // namespace

std::optional<CrashFacts> gather_crash(const CheckInput& input) {
  const auto thread = std::ranges::find_if(input.threads, [](const target::Thread& candidate) {
    return !cpython::fatal_signal_name(candidate.signal).empty();
  });
  if (thread == input.threads.end()) {
    return std::nullopt;
  }
  CrashFacts facts;
  facts.tid = thread->tid;
  facts.signal = thread->signal;
  // Most crashes have nothing to do with the collector, which the symbols tell: every call that
  // matters here is a function of its own, or inlined in one that is.
  auto frames = input.image.unwind(*thread, frame_limit, image::FrameDetail::functions);
  if (frames && cpython::read_crash_stack(*frames).deed != cpython::Deed::none) {
    frames = input.image.unwind(*thread, frame_limit);
  }
  if (!frames || frames->empty()) {
    return facts;
  }
  facts.unwound = true;
  facts.stack = cpython::read_crash_stack(*frames);
  for (const image::Frame& frame : *frames) {
    facts.functions.push_back(frame.function.empty() ? input.image.describe_code(frame.pc)
                                                     : frame.function);
  }
  if (facts.stack.deed != cpython::Deed::none && facts.stack.caller < frames->size()) {
    const image::Frame& caller = (*frames)[facts.stack.caller];
    facts.caller = facts.functions[facts.stack.caller];
    if (const image::Module* module = input.image.module_at(caller.pc)) {
      facts.caller_module = module->path();
      facts.caller_line = module->source_line(caller.pc).value_or("");
    }
  }
  return facts;
}

} // namespace pygc::analysis
