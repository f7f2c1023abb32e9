// What the protocol's users know of x86-64: registers by DWARF number.
#pragma once

#include "common/target/target.h"

#include <array>
#include <cstddef>

namespace pygc::wire {

/// As GDB and LLDB both call them.
inline constexpr std::array<const char*, target::dwarf_register_count> register_names = {
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip"};
inline constexpr const char* thread_pointer_name = "fs_base";
/// Where a function finds its first argument when it is entered.
inline constexpr const char* first_argument_name = "rdi";
inline constexpr std::size_t sp_register = 7;
inline constexpr std::size_t pc_register = 16;

/// ELF e_machine of the cores we look for.
inline constexpr unsigned elf_machine = 62;
/// In NT_PRSTATUS: where the kernel's user_regs_struct keeps rip and rsp.
inline constexpr std::size_t prstatus_pc_offset = 112 + 16 * 8;
inline constexpr std::size_t prstatus_sp_offset = 112 + 19 * 8;

} // namespace pygc::wire
