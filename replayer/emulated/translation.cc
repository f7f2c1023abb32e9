#include "replayer/emulated/translation.h"

namespace pygc::replayer {
namespace {

constexpr unsigned address_bits = 48;

#ifdef PYGC_UNICORN_TRANSLATES
constexpr std::uint64_t lower_half_end = std::uint64_t{1} << (address_bits - 1);
/// In Unicorn's memory, beyond all that a process can have.
constexpr std::uint64_t nowhere = std::uint64_t{1} << 51;
#endif

} // namespace

bool Translation::is_canonical(std::uint64_t address) {
  const std::uint64_t upper = address >> (address_bits - 1);
  return upper == 0 || upper == ~std::uint64_t{0} >> (address_bits - 1);
}

#ifdef PYGC_UNICORN_TRANSLATES

bool Translation::install(uc_engine* emulator) {
  emulator_ = emulator;
  uc_hook hook = 0;
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): Unicorn's macro casts so.
  return uc_query(emulator, UC_QUERY_PAGE_SIZE, &page_size_) == UC_ERR_OK &&
         uc_ctl_tlb_mode(emulator, UC_TLB_VIRTUAL) == UC_ERR_OK &&
         uc_hook_add(emulator, &hook, UC_HOOK_TLB_FILL, reinterpret_cast<void*>(&on_page), this, 1,
                     0) == UC_ERR_OK;
}

bool Translation::on_page(uc_engine* /*emulator*/, std::uint64_t page, uc_mem_type /*type*/,
                          uc_tlb_entry* entry, void* translation) {
  // What may be done there Unicorn's own map of the memory says.
  entry->perms = UC_PROT_ALL;
  entry->paddr = page;
  if (page >= lower_half_end) {
    static_cast<Translation*>(translation)->outside_ = page;
    entry->paddr = nowhere;
  }
  return true;
}

std::uint64_t Translation::faulting_address(std::uint64_t reported) const {
  return reported - nowhere < page_size_ ? outside_ + (reported - nowhere) : reported;
}

void Translation::forget() {
  if (outside_ != 0) {
    outside_ = 0;
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): Unicorn's macro casts so.
    uc_ctl_flush_tlb(emulator_);
  }
}

#else

bool Translation::install(uc_engine* /*emulator*/) {
  return true;
}

std::uint64_t Translation::faulting_address(std::uint64_t reported) const {
  return reported;
}

void Translation::forget() {}

#endif

} // namespace pygc::replayer
