#include "common/elf/elf_headers.h"

#include "common/machine/machine.h"

#include <algorithm>

namespace pygc::elf {
namespace {

// Images have tens of program headers; a core of 40,000 mappings has as many. Beyond this it is
// junk.
constexpr std::uint64_t max_program_headers = 1U << 22U;
constexpr std::uint64_t max_image_notes = 1U << 20U;

Result<std::uint64_t> program_header_count(const Elf64_Ehdr& header, const ReadAt& read) {
  if (header.e_phnum != PN_XNUM) {
    return header.e_phnum;
  }
  Elf64_Shdr first;
  if (header.e_shoff == 0 || !read_plain(read, header.e_shoff, first)) {
    return fail(ErrorKind::truncated, 0, "the file ends before the count of its program headers");
  }
  return first.sh_info;
}

Result<void> check_identity(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    return fail(ErrorKind::unsupported, 0,
                std::string("a 32-bit ELF file; only 64-bit ") + machine::processor_name +
                    " is supported");
  }
  if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != machine::elf_machine) {
    return fail(ErrorKind::unsupported, 0,
                "an ELF file of another machine (e_machine " + std::to_string(header.e_machine) +
                    "); only " + machine::processor_name + " is supported");
  }
  return {};
}

} // namespace

Result<ElfHeaders> read_elf_headers(const ReadAt& read, std::uint64_t size) {
  ElfHeaders headers;
  std::array<std::byte, SELFMAG> magic{};
  if (size < magic.size() || !read(0, magic) || std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0) {
    return fail(ErrorKind::corrupt, 0, "not an ELF file");
  }
  if (size < sizeof headers.file || !read_plain(read, 0, headers.file)) {
    return fail(ErrorKind::truncated, 0, "the file ends within its ELF header");
  }
  if (auto identity = check_identity(headers.file); !identity) {
    return std::unexpected(identity.error());
  }
  const auto count = program_header_count(headers.file, read);
  if (!count) {
    return std::unexpected(count.error());
  }
  if (*count == 0) {
    return headers;
  }
  if (headers.file.e_phentsize != sizeof(Elf64_Phdr) || *count > max_program_headers) {
    return fail(ErrorKind::unsupported, 0, "an ELF file whose program headers are malformed");
  }
  const std::uint64_t bytes = *count * sizeof(Elf64_Phdr);
  if (bytes > size || headers.file.e_phoff > size - bytes) {
    return fail(ErrorKind::truncated, 0, "the file ends within its program headers");
  }
  headers.programs.resize(*count);
  if (!read(headers.file.e_phoff, std::as_writable_bytes(std::span(headers.programs)))) {
    return fail(ErrorKind::truncated, 0, "the file ends within its program headers");
  }
  return headers;
}

std::vector<Note> parse_notes(std::span<const std::byte> bytes, std::uint64_t alignment) {
  const std::uint64_t mask = alignment == 8 ? 7 : 3;
  const auto align = [mask](std::uint64_t value) { return (value + mask) & ~mask; };
  std::vector<Note> notes;
  std::uint64_t at = 0;
  Elf64_Nhdr header;
  while (bytes.size() - at >= sizeof header) {
    std::memcpy(&header, bytes.data() + at, sizeof header);
    const std::uint64_t name = at + sizeof header;
    const std::uint64_t descriptor = at + align(sizeof header + std::uint64_t{header.n_namesz});
    if (descriptor > bytes.size() || header.n_descsz > bytes.size() - descriptor) {
      break;
    }
    std::string_view text(reinterpret_cast<const char*>(bytes.data() + name), header.n_namesz);
    notes.push_back({.type = header.n_type,
                     .name = text.substr(0, text.find('\0')),
                     .descriptor = bytes.subspan(descriptor, header.n_descsz)});
    at = std::min<std::uint64_t>(bytes.size(), descriptor + align(header.n_descsz));
  }
  return notes;
}

std::string read_build_id(const ElfHeaders& headers, const ReadAt& read, NotePosition position,
                          Address bias) {
  for (const Elf64_Phdr& program : headers.programs) {
    if (program.p_type != PT_NOTE || program.p_filesz > max_image_notes) {
      continue;
    }
    std::vector<std::byte> bytes(program.p_filesz);
    const std::uint64_t at =
        position == NotePosition::address ? bias + program.p_vaddr : program.p_offset;
    if (!read(at, bytes)) {
      continue;
    }
    for (const Note& note : parse_notes(bytes, program.p_align)) {
      // Real build-ids have 8 to 32 bytes; the bound keeps a hostile one out of file names.
      if (note.type == NT_GNU_BUILD_ID && note.name == "GNU" && note.descriptor.size() >= 2 &&
          note.descriptor.size() <= 64) {
        return to_hex(note.descriptor);
      }
    }
  }
  return {};
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    text += digits[std::to_integer<std::size_t>(b >> 4)];
    text += digits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return text;
}

} // namespace pygc::elf
