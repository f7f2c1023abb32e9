// x86-64 Linux; see machine.h, which is what is to be included.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pygc::machine {

inline constexpr const char* processor_name = "x86-64";
inline constexpr std::uint16_t elf_machine = 62; // EM_X86_64

/// TASK_SIZE_MAX: the last page below 2^47 is never mapped.
inline constexpr std::uint64_t user_space_end = 0x7fff'ffff'f000;
inline constexpr std::uint64_t least_page_size = 4096;

inline constexpr std::size_t dwarf_register_count = 17;
inline constexpr std::array<const char*, dwarf_register_count> register_names = {
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8",
    "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip"};
inline constexpr std::size_t sp_register = 7;
inline constexpr std::size_t pc_register = 16;
inline constexpr const char* thread_pointer_name = "fs_base";
inline constexpr const char* first_argument_name = "rdi";

constexpr bool is_callee_saved(std::size_t dwarf_number) {
  constexpr std::size_t rbx = 3;
  constexpr std::size_t rbp = 6;
  return dwarf_number == rbx || dwarf_number == rbp || (dwarf_number >= 12 && dwarf_number <= 15);
}

// The kernel's user_regs_struct lies behind 112 bytes: rip is its 17th word, rsp its 20th.
inline constexpr std::size_t prstatus_pc_offset = 112 + 16 * 8;
inline constexpr std::size_t prstatus_sp_offset = 112 + 19 * 8;

} // namespace pygc::machine
