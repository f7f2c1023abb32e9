#include "common/cpython/objects/dict_entries.h"

#include <array>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::uint64_t dict_entry_limit = std::uint64_t{1} << 26;

} // namespace

Result<void> each_entry_of(const ObjectReader& reader, Address keys, Address values,
                           const std::function<bool(const DictEntry&)>& each) {
  const Layout& layout = reader.runtime().layout;
  const image::AddressSpace& memory = reader.memory();
  const auto entries = memory.load<std::int64_t>(keys + layout.dk_nentries);
  if (!entries) {
    return std::unexpected(entries.error());
  }
  // The index table lies between the header and the entries (Objects/dictobject.c, DK_ENTRIES).
  std::uint64_t index_bytes = 0;
  if (layout.dk_log2_index_bytes) {
    const auto log2 = memory.load<std::uint8_t>(keys + *layout.dk_log2_index_bytes);
    if (!log2 || *log2 > 34) {
      return fail(ErrorKind::corrupt, keys, fmt::format("no dict keys at {:#x}", keys));
    }
    index_bytes = std::uint64_t{1} << *log2;
  } else if (layout.dk_size) {
    const auto size = memory.load<std::int64_t>(keys + *layout.dk_size);
    if (!size || *size <= 0 || *size > (std::int64_t{1} << 32)) {
      return fail(ErrorKind::corrupt, keys, fmt::format("no dict keys at {:#x}", keys));
    }
    const auto slots = static_cast<std::uint64_t>(*size);
    index_bytes = slots * (*size <= 0xff ? 1 : *size <= 0xffff ? 2 : *size <= 0xffffffff ? 4 : 8);
  }
  if (*entries < 0 || static_cast<std::uint64_t>(*entries) > dict_entry_limit) {
    return fail(ErrorKind::corrupt, keys, fmt::format("no dict keys at {:#x}", keys));
  }
  // PyDictUnicodeEntry {key, value} when all keys are str (3.11+), else PyDictKeyEntry {hash, key,
  // value}.
  bool with_hash = true;
  if (layout.dk_kind) {
    const auto kind = memory.load<std::uint8_t>(keys + *layout.dk_kind);
    if (!kind) {
      return std::unexpected(kind.error());
    }
    with_hash = *kind == 0;
  }
  const std::uint64_t entry_size = with_hash ? 24 : 16;
  const Address first = keys + layout.dk_indices + index_bytes + (with_hash ? 8 : 0);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(*entries); ++i) {
    const Address at = first + i * entry_size;
    const auto words = memory.load<std::array<Address, 2>>(at);
    if (!words) {
      return std::unexpected(words.error());
    }
    DictEntry entry{.key_at = {at},
                    .value_at = {at + sizeof(Address)},
                    .key = (*words)[0],
                    .value = (*words)[1]};
    if (values != 0) {
      entry.value_at = {values + i * sizeof(Address)};
      const auto split = memory.load<Address>(entry.value_at.at);
      if (!split) {
        return std::unexpected(split.error());
      }
      entry.value = *split;
    }
    if (entry.key != 0 && entry.value != 0 && !each(entry)) {
      break;
    }
  }
  return {};
}

} // namespace pygc::cpython
