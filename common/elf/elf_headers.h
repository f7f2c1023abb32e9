// ELF headers read with checks from any source of bytes: a core, a file, the target's memory.
#pragma once

#include "common/base/error.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::elf {

/// Fills `to` from a position, or says that it cannot.
using ReadAt = std::function<bool(std::uint64_t position, std::span<std::byte> to)>;

/// Reads a plain structure.
template <class T> bool read_plain(const ReadAt& read, std::uint64_t position, T& to) {
  return read(position, std::as_writable_bytes(std::span(&to, 1)));
}

struct ElfHeaders {
  Elf64_Ehdr file{};
  std::vector<Elf64_Phdr> programs;
};

/// Reads the ELF header and the program headers (PN_XNUM included) of a source that is `size` bytes
/// long. Errors: corrupt (not ELF at all), unsupported (another class, byte order or machine),
/// truncated (ends within the headers).
Result<ElfHeaders> read_elf_headers(const ReadAt& read, std::uint64_t size);

/// One note of a PT_NOTE segment.
struct Note {
  std::uint32_t type = 0;
  std::string_view name; // without the NUL
  std::span<const std::byte> descriptor;
};

/// The notes in a run of bytes, up to the first one that does not fit. `alignment` is 4, or 8 for
/// segments that say so.
std::vector<Note> parse_notes(std::span<const std::byte> bytes, std::uint64_t alignment = 4);

/// Where PT_NOTE segments are to be read: as in a file, or as loaded at a bias.
enum class NotePosition : std::uint8_t { file_offset, address };

/// The GNU build-id in hex; empty when there is none or it cannot be read.
std::string read_build_id(const ElfHeaders& headers, const ReadAt& read, NotePosition position,
                          Address bias = 0);

/// Bytes in hex, lower case.
std::string to_hex(std::span<const std::byte> bytes);

} // namespace pygc::elf
