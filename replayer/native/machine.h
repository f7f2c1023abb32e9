// All that depends on the processor in the native replayer: system calls, entry, the stack switch
// around the target's code, and the signal frame. A new architecture supplies these, in a directory
// of its name.
#pragma once

#include "largest_page.h"
#include "system_call.h"

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <signal.h>
#include <ucontext.h>

namespace pygc::replayer::machine {

// Supplied by system_call.h of the processor's directory:
// std::int64_t syscall(std::int64_t number, up to six std::uint64_t);
// and by its largest_page.h:
// std::size_t largest_page_size, of all sizes that kernels for it are built with.

[[noreturn]] void exit_process(int status);

using Body = void (*)();

/// Runs body on the stack that ends at stack_top. False: a signal handler ended it by abandon().
bool run_on_stack(Body body, std::uint64_t stack_top);

/// Starts a process, as clone() with these flags, that runs body on the stack that ends at
/// stack_top, and then ends. Its number, or -errno.
std::int64_t start_process(Body body, std::uint64_t stack_top, std::uint64_t flags);

/// For a signal handler: on its return, the run_on_stack under way returns false, with the
/// processor's flags, thread pointer, floating-point and vector state as at a function's entry.
void abandon(ucontext_t& context);

/// Flags that the target's code may leave set and no function expects: alignment checks, and string
/// instructions that run backward.
void reset_flags();
/// The flags, and the thread pointer, which the target's code may have changed without a system
/// call.
void reset_state();

std::uint64_t program_counter(const ucontext_t& context);
/// The address that the instruction that faulted uses, decoded from it and the registers, for the
/// kernel tells none of an address that is not canonical. 0: not known.
std::uint64_t operand_address(const ucontext_t& context);
/// Was the page fault that raised SIGSEGV caused by a write?
bool fault_was_write(const ucontext_t& context);
/// The instruction that trapped, when the program counter has moved on behind it.
std::uint64_t trapping_instruction(const ucontext_t& context, int signal, int code);

/// Puts a breakpoint where a function begins; the memory is writable.
void write_breakpoint(std::uint64_t function);
/// Of a function that has not executed anything yet: what it was passed, and whence it was called.
using Arguments = std::array<std::uint64_t, replay::protocol::kept_arguments>;
Arguments arguments(const ucontext_t& context);
std::uint64_t return_address_slot(const ucontext_t& context);

/// Makes `handler` that of the signal, on the alternate stack, with all signals blocked.
bool set_handler(int signal, void (*handler)(int, siginfo_t*, void*));

/// Learns whether code can read and change the thread pointer without the kernel, before any
/// handler is set: there are machines on which it can although HWCAP2_FSGSBASE says that it cannot.
void probe_thread_pointer_access();
/// The thread-local storage base that target code sees. The replayer itself uses none.
bool set_thread_pointer(std::uint64_t address);

/// The replayer's own code: [first, second).
struct TextRange {
  std::uint64_t start;
  std::uint64_t end;
};
TextRange own_text();
/// The end of the replayer's image (text, data, bss).
std::uint64_t own_image_end();

/// The seccomp name of this architecture (AUDIT_ARCH_*).
std::uint32_t audit_architecture();

} // namespace pygc::replayer::machine
