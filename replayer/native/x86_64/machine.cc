#include "replayer/native/machine.h"

#include "common/replay/protocol/replayer_protocol.h"

#include <asm/prctl.h>
#include <linux/audit.h>
#include <sys/syscall.h>

extern "C" {
// Set by the linker. NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern const char __executable_start;
extern const char etext;
extern const char _end;
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

int pygc_run_on_stack(void (*body)(), std::uint64_t stack_top);
std::int64_t pygc_start_process(void (*body)(), std::uint64_t stack_top, std::uint64_t flags);
extern const char pygc_abandoned;
void pygc_signal_return();
[[noreturn]] void pygc_replayer_main(const std::uint64_t* initial_stack);

// The stack pointer to come back to; the callee-saved registers lie there.
[[gnu::used]] std::uint64_t pygc_resume_sp = 0;
[[gnu::used,
  gnu::aligned(pygc::replayer::machine::largest_page_size)]] char pygc_main_stack[64 * 1024];
}

asm(R"(
  .text
  .globl _start
  .type _start, @function
_start:
  xorl %ebp, %ebp
  movq %rsp, %rdi
  leaq pygc_main_stack+65536(%rip), %rsp
  call pygc_replayer_main
  ud2
  .size _start, . - _start

  .globl pygc_run_on_stack
  .type pygc_run_on_stack, @function
pygc_run_on_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, pygc_resume_sp(%rip)
  movq %rsi, %rsp
  xorl %ebp, %ebp
  call *%rdi
  movq pygc_resume_sp(%rip), %rsp
  movl $1, %eax
  jmp 1f
  .globl pygc_abandoned
pygc_abandoned:
  xorl %eax, %eax
1:
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size pygc_run_on_stack, . - pygc_run_on_stack

  .globl pygc_start_process
  .type pygc_start_process, @function
pygc_start_process:
  movq %rdi, -8(%rsi)
  subq $8, %rsi
  movq %rdx, %rdi
  xorl %edx, %edx
  xorl %r10d, %r10d
  xorl %r8d, %r8d
  movl $56, %eax
  syscall
  testq %rax, %rax
  jnz 1f
  xorl %ebp, %ebp
  popq %rax
  call *%rax
  xorl %edi, %edi
  movl $60, %eax
  syscall
  ud2
1:
  ret
  .size pygc_start_process, . - pygc_start_process

  .globl pygc_signal_return
  .type pygc_signal_return, @function
pygc_signal_return:
  movl $15, %eax
  syscall
  ud2
  .size pygc_signal_return, . - pygc_signal_return
)");
static_assert(SYS_rt_sigreturn == 15 && SYS_clone == 56 && SYS_exit == 60);

namespace pygc::replayer::machine {
namespace {

// The kernel's struct sigaction, which differs from the C library's.
struct KernelSigaction {
  void (*handler)(int, siginfo_t*, void*);
  std::uint64_t flags;
  void (*restorer)();
  std::uint64_t mask;
};
constexpr std::uint64_t sa_restorer = 0x04000000;

constexpr std::uint64_t interrupt_flag = 0x200;
constexpr std::uint64_t reserved_flag = 0x2;
constexpr std::uint64_t direction_flag = 0x400;
constexpr std::uint64_t alignment_flag = 0x40000;
constexpr std::uint16_t default_x87_control = 0x37f;
constexpr std::uint32_t default_mxcsr = 0x1f80;

// The kernel's extension of the FXSAVE area: magic and sizes at 464, the XSAVE header at 512.
constexpr std::size_t software_bytes = 464;
constexpr std::size_t xsave_header = 512;
constexpr std::uint32_t xsave_magic = 0x46505853;

constexpr std::uint64_t page_fault_write = 2;
constexpr std::uint8_t breakpoint = 0xcc; // int3

constinit std::uint64_t thread_pointer = 0;
constinit bool anybody_sets_it = false; // by an instruction

template <class T> std::uint64_t address_of(const T& object) {
  return reinterpret_cast<std::uint64_t>(&object);
}

void reset_vector_state(ucontext_t& context) {
  auto* state = reinterpret_cast<char*>(context.uc_mcontext.fpregs);
  if (state == nullptr) {
    return;
  }
  auto& fx = *context.uc_mcontext.fpregs;
  fx.cwd = default_x87_control;
  fx.swd = 0;
  fx.ftw = 0;
  fx.mxcsr = default_mxcsr;
  if (*reinterpret_cast<const std::uint32_t*>(state + software_bytes) == xsave_magic) {
    // No component is present: the processor initialises them all.
    *reinterpret_cast<std::uint64_t*>(state + xsave_header) = 0;
  }
}

/// The selectors of 64-bit code and of its stack, wherever the code went: a far return leads into
/// 32-bit mode. FS and GS, between them, stay.
void reset_selectors(ucontext_t& context) {
  std::uint16_t code = 0;
  std::uint16_t stack = 0;
  asm("movw %%cs, %0\n\tmovw %%ss, %1" : "=r"(code), "=r"(stack));
  auto& selectors = context.uc_mcontext.gregs[REG_CSGSFS];
  const std::uint64_t others = static_cast<std::uint64_t>(selectors) & 0x0000'ffff'ffff'0000;
  selectors = static_cast<greg_t>(others | code | std::uint64_t{stack} << 48U);
}

void skip_unknown_instruction(int /*signal*/, siginfo_t* /*info*/, void* context) {
  constexpr greg_t length = 5; // of rdfsbase
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += length;
  anybody_sets_it = false;
}

void reset_thread_pointer() {
  if (!anybody_sets_it) {
    return;
  }
  std::uint64_t now = 0;
  asm volatile("rdfsbase %0" : "=r"(now));
  if (now != thread_pointer) {
    asm volatile("wrfsbase %0" : : "r"(thread_pointer));
  }
}

} // namespace

std::uint32_t audit_architecture() {
  return AUDIT_ARCH_X86_64;
}

void exit_process(int status) {
  for (;;) {
    syscall(SYS_exit_group, static_cast<std::uint64_t>(status));
  }
}

bool run_on_stack(Body body, std::uint64_t stack_top) {
  return pygc_run_on_stack(body, stack_top) != 0;
}

void abandon(ucontext_t& context) {
  auto& registers = context.uc_mcontext.gregs;
  registers[REG_RSP] = static_cast<greg_t>(pygc_resume_sp);
  registers[REG_RIP] = static_cast<greg_t>(address_of(pygc_abandoned));
  registers[REG_EFL] = static_cast<greg_t>(interrupt_flag | reserved_flag);
  reset_selectors(context);
  reset_thread_pointer(); // which the signal's frame does not hold
  reset_vector_state(context);
}

std::int64_t start_process(Body body, std::uint64_t stack_top, std::uint64_t flags) {
  return pygc_start_process(body, stack_top, flags);
}

void reset_flags() {
  const std::uint64_t flags = __builtin_ia32_readeflags_u64();
  if ((flags & (direction_flag | alignment_flag)) != 0) {
    __builtin_ia32_writeeflags_u64(flags & ~(direction_flag | alignment_flag));
  }
}

void reset_state() {
  reset_flags();
  reset_thread_pointer();
}

std::uint64_t program_counter(const ucontext_t& context) {
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
}

bool fault_was_write(const ucontext_t& context) {
  return (static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_ERR]) & page_fault_write) != 0;
}

std::uint64_t trapping_instruction(const ucontext_t& context, int signal, int code) {
  const std::uint64_t pc = program_counter(context);
  if (signal == SIGSYS) {
    return pc - 2; // syscall, sysenter and int 0x80 are two bytes long
  }
  if (signal == SIGTRAP && code == SI_KERNEL) {
    return pc - 1; // int3
  }
  return pc;
}

void write_breakpoint(std::uint64_t function) {
  *reinterpret_cast<std::uint8_t*>(function) = breakpoint;
}

Arguments arguments(const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.gregs;
  return {static_cast<std::uint64_t>(registers[REG_RDI]),
          static_cast<std::uint64_t>(registers[REG_RSI]),
          static_cast<std::uint64_t>(registers[REG_RDX]),
          static_cast<std::uint64_t>(registers[REG_RCX]),
          static_cast<std::uint64_t>(registers[REG_R8])};
}

std::uint64_t return_address_slot(const ucontext_t& context) {
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RSP]);
}

bool set_handler(int signal, void (*handler)(int, siginfo_t*, void*)) {
  const KernelSigaction action{handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART | sa_restorer,
                               &pygc_signal_return, ~std::uint64_t{0}};
  return syscall(SYS_rt_sigaction, static_cast<std::uint64_t>(signal), address_of(action), 0,
                 sizeof(action.mask)) == 0;
}

void probe_thread_pointer_access() {
  anybody_sets_it = set_handler(SIGILL, &skip_unknown_instruction);
  if (anybody_sets_it) {
    std::uint64_t now = 0;
    asm volatile("rdfsbase %0" : "=r"(now) : : "memory");
  }
  set_handler(SIGILL, nullptr);
}

bool set_thread_pointer(std::uint64_t address) {
  if (syscall(SYS_arch_prctl, ARCH_SET_FS, address) != 0) {
    return false;
  }
  thread_pointer = address;
  return true;
}

TextRange own_text() {
  return {address_of(__executable_start), address_of(etext)};
}

std::uint64_t own_image_end() {
  return address_of(_end);
}

} // namespace pygc::replayer::machine
