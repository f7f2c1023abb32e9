// What this layer knows of x86-64 Linux: the page, the register sets of a core, the ELF machine.
#pragma once

#include "common/base/error.h"
#include "common/target/target.h"

#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <optional>
#include <span>

namespace pygc::image {

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::uint16_t elf_machine = EM_X86_64;
/// First address above user space; what lies there ([vsyscall]) is the kernel's.
inline constexpr Address user_space_end = Address{1} << 47;

inline constexpr std::size_t dwarf_sp = 7;
inline constexpr std::size_t dwarf_return_address = 16;

/// Registers that a function hands back as it found them, unless its unwind table says otherwise.
constexpr bool is_callee_saved(std::size_t dwarf_number) {
  constexpr std::size_t rbx = 3;
  constexpr std::size_t rbp = 6;
  return dwarf_number == rbx || dwarf_number == rbp || (dwarf_number >= 12 && dwarf_number <= 15);
}

constexpr std::uint64_t page_down(std::uint64_t value) {
  return value & ~(page_size - 1);
}
/// The next page boundary; user-space values only, so that nothing wraps.
constexpr std::uint64_t page_up(std::uint64_t value) {
  return page_down(value + page_size - 1);
}

/// A thread from the descriptor of an NT_PRSTATUS note; nothing when it is too short.
std::optional<target::Thread> thread_from_prstatus(std::span<const std::byte> descriptor);

/// The process id from the descriptor of an NT_PRPSINFO note.
std::optional<std::int64_t> pid_from_prpsinfo(std::span<const std::byte> descriptor);

} // namespace pygc::image
