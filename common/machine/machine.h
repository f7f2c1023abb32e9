// The processor and its Linux ABI, by neutral names. CMake chooses the directory of the processor
// that pygc is built for and examines; nothing outside such a directory names one.
//
// What a new architecture has to supply, each in a directory of its name:
//   common/machine/ARCH/processor.h       the constants below
//   common/machine/ARCH/thread_notes.cc   the notes of a core and ptrace (thread_notes.h)
//   common/machine/ARCH/hardware_watchpoints.cc   what hardware_watchpoints.h declares
//   common/cpython/collector/ARCH         the searches in machine code (visitor_search.h,
//                                         subtract_search.h); they may find nothing
//   replayer/native/ARCH                  system calls, entry, stack switch, signal frames, the
//                                         largest page (machine.h of the native replayer)
//   replayer/emulated/ARCH                the guest's own code and what instructions mean
//                                         (machine.h of the emulated replayer)
// and processor.h of namespace pygc::machine has to define:
//   processor_name         as people spell it
//   elf_machine            e_machine of its ELF files; 64-bit and little-endian alone are supported
//   user_space_end         the first address that no process can map
//   least_page_size        what every page is a multiple of; page.h has the size that is in use
//   dwarf_register_count   general registers by DWARF number, the pc (or return address) last
//   register_names         of each, as GDB and LLDB both call it
//   sp_register, pc_register   DWARF numbers
//   thread_pointer_name    the register that thread-local storage is addressed by
//   first_argument_name    where a function finds its first argument when it is entered
//   is_callee_saved()      registers that a function hands back as it found them, unless its unwind
//                          table says otherwise
//   prstatus_pc_offset, prstatus_sp_offset   in the descriptor of an NT_PRSTATUS note
// It is included by the native replayer too, which has no C library.
#pragma once

#include "processor.h"
