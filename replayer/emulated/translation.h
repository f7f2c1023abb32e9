// From the addresses of the target's code to Unicorn's memory, and back for an access that failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unicorn/unicorn.h>

namespace pygc::replayer {

/// Unicorn 2.1 drops the upper 12 bits of an address on the way to its memory: a damaged pointer
/// would be read as if it were a whole one. Where Unicorn asks for the translation of each page,
/// this gives it: every page to itself, and those that no process has to a place where nothing is.
/// Unicorn 2.0 neither asks nor needs it.
class Translation {
public:
  bool install(uc_engine* emulator);

  /// The address of an access that failed. `reported`: what Unicorn's hook was told.
  std::uint64_t faulting_address(std::uint64_t reported) const;

  /// Whether the address is one to the processor: what jumps to another one does not get there.
  static bool is_canonical(std::uint64_t address);

  /// After an access that failed: forgets the page.
  void forget();

private:
#ifdef PYGC_UNICORN_TRANSLATES
  static bool on_page(uc_engine* emulator, std::uint64_t page, uc_mem_type type,
                      uc_tlb_entry* entry, void* translation);

  uc_engine* emulator_ = nullptr;
  std::size_t page_size_ = 0; // the emulator's, whatever the kernel's is
  std::uint64_t outside_ = 0; // the page of no process that was asked for, if one was
#endif
};

} // namespace pygc::replayer
