// Both engines on images made by hand, and what the emulated one traces.
#pragma once

#include "replay_fixture.h"

#include "common/replay/emulated.h"

namespace pygc::replay::testing {

inline Options emulated(Options options) {
  options.replayer_path = PYGC_LIBEXEC_DIR "/pygc-replayer-emulated";
  options.traversal_instructions = 50'000;
  return options;
}

inline std::unique_ptr<Tracer> start_tracer(const image::AddressSpace& memory,
                                            const Options& options) {
  auto tracer = start_emulated(memory, emulated(options), [] { return false; });
  EXPECT_TRUE(tracer) << tracer.error().reason;
  return tracer ? std::move(*tracer) : nullptr;
}

/// A traverse function: for each slot, visit(*slot, arg).
inline Code visiting_slots(const std::vector<Address>& slots) {
  // push %rbx; push %rbp; sub $8,%rsp; mov %rsi,%rbx; mov %rdx,%rbp
  Code code{0x53, 0x55, 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xf3, 0x48, 0x89, 0xd5};
  for (const Address slot : slots) {
    // mov slot,%rax; mov (%rax),%rdi; mov %rbp,%rsi; call *%rbx
    code = code + load_rax(slot) + Code{0x48, 0x8b, 0x38, 0x48, 0x89, 0xee, 0xff, 0xd3};
  }
  return code + Code{0x48, 0x83, 0xc4, 0x08, 0x5d, 0x5b} + ret_zero;
}

} // namespace pygc::replay::testing
