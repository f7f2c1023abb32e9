#include "common/analysis/facts/crash_facts.h"

#include "common/analysis/facts/slot_deeds.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pygc::analysis {
namespace {

using cpython::Deed;

constexpr std::size_t crash_frame_limit = 256;
constexpr std::size_t slot_frame_limit =
    64;                              // innermost ones whose functions are held against types
constexpr Address probe_below = 256; // a call or a small frame goes so far
/// The stack itself: the frame of the function that went too far may be large.
constexpr std::array<Address, 4> probes_above = {0x1000, 0x4000, 0x1'0000, 0x4'0000};

cpython::CrashStack read_stack(const CheckInput& input, const target::Thread& thread,
                               const std::vector<image::Frame>& frames) {
  return cpython::read_crash_stack(frames, [&](std::size_t at) -> cpython::KnownDeed {
    const image::Frame& frame = frames[at];
    const bool inlined =
        at + 1 < frames.size() && frames[at + 1].pc == frame.pc && frames[at + 1].cfa == frame.cfa;
    if (at >= slot_frame_limit || inlined) {
      return {};
    }
    std::size_t inner = at; // the function that it has called
    while (inner > 0 && frames[inner - 1].cfa == frame.cfa) {
      --inner;
    }
    if (inner == 0) {
      return find_slot_deed(input, frame, thread.sp);
    }
    image::Frame caller = frame;
    --caller.pc; // what it returns to may lie behind its end, when what it has called does not
    return find_slot_deed(input, caller, frames[inner - 1].cfa);
  });
}

/// Neither the interpreter nor the C library: whose function is to be looked at.
bool is_of_extension(const CheckInput& input, const image::Module* module) {
  if (module == nullptr || module == input.reader.runtime().module) {
    return false;
  }
  const std::string_view path = module->path();
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 5> libraries = {"libc.so", "libc-", "libpthread",
                                                         "ld-linux", "libpython"};
  return std::ranges::none_of(libraries,
                              [&](std::string_view each) { return name.starts_with(each); });
}

std::size_t count_of(const std::string& function, const CrashFacts& facts) {
  return static_cast<std::size_t>(std::ranges::count(facts.functions, function));
}

/// From the function whose deed it is inwards.
void tell_of_called(const CheckInput& input, const std::vector<image::Frame>& frames,
                    CrashFacts& facts) {
  std::size_t called = facts.stack.frame;
  while (called > 0 && !is_of_extension(input, input.image.module_at(frames[called].pc))) {
    --called;
  }
  if (!is_of_extension(input, input.image.module_at(frames[called].pc))) {
    called = facts.stack.frame == 0 ? 0 : facts.stack.frame - 1;
  }
  facts.called = facts.functions[called];
  if (const image::Module* module = input.image.module_at(frames[called].pc)) {
    facts.called_module = module->path();
    facts.called_line = module->source_line(frames[called].pc).value_or("");
  }
  facts.repeated = count_of(facts.called, facts);
}

/// Whether the thread has gone beyond the end of its stack.
bool has_overflowed(const CheckInput& input, const target::Thread& thread) {
  const auto is_stack = [&](Address at) {
    const image::Region* region = input.image.memory().find(at);
    return region != nullptr && region->permissions.write;
  };
  return thread.sp > probe_below && !is_stack(thread.sp - probe_below) &&
         std::ranges::any_of(probes_above,
                             [&](Address above) { return is_stack(thread.sp + above); });
}

} // namespace

const target::Thread* crashed_thread(const CheckInput& input) {
  const auto thread = std::ranges::find_if(input.threads, [](const target::Thread& candidate) {
    return !cpython::fatal_signal_name(candidate.signal).empty();
  });
  return thread == input.threads.end() ? nullptr : &*thread;
}

std::optional<CrashFacts> gather_crash(const CheckInput& input) {
  const target::Thread* thread = crashed_thread(input);
  if (thread == nullptr) {
    return std::nullopt;
  }
  CrashFacts facts;
  facts.tid = thread->tid;
  facts.signal = thread->signal;
  // Most crashes have nothing to do with the collector, which the symbols tell: every call that
  // matters here is a function of its own, or inlined in one that is, or a type's.
  auto frames = input.image.unwind(*thread, crash_frame_limit, image::FrameDetail::functions);
  if (frames) {
    facts.stack = read_stack(input, *thread, *frames);
    if (facts.stack.deed != Deed::none) {
      frames = input.image.unwind(*thread, crash_frame_limit);
      facts.stack = frames ? read_stack(input, *thread, *frames) : cpython::CrashStack{};
    }
  }
  if (!frames || frames->empty()) {
    return facts;
  }
  facts.unwound = true;
  facts.stack_overflow = has_overflowed(input, *thread);
  for (const image::Frame& frame : *frames) {
    facts.functions.push_back(frame.function.empty() ? input.image.describe_code(frame.pc)
                                                     : frame.function);
  }
  if (facts.stack.deed != Deed::none) {
    tell_of_called(input, *frames, facts);
  } else {
    facts.repeated = count_of(facts.functions.front(), facts);
  }
  if (facts.stack.deed != Deed::none && facts.stack.caller < frames->size()) {
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
