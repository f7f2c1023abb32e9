#include "common/protocol/wire_maps.h"

#include "common/machine/page.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <elf.h>
#include <fstream>
#include <istream>

namespace pygc::wire {
namespace {

// An image has tens; they lie behind the ELF header.
constexpr std::size_t max_headers = 64;

std::vector<Elf64_Phdr> load_headers(Address start, const Read& read) {
  Elf64_Ehdr file{};
  if (!read(start, reinterpret_cast<std::byte*>(&file), sizeof file) ||
      !std::equal(file.e_ident, file.e_ident + SELFMAG, ELFMAG) ||
      file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_phentsize != sizeof(Elf64_Phdr) ||
      file.e_phnum > max_headers) {
    return {};
  }
  std::vector<Elf64_Phdr> headers(file.e_phnum);
  if (!read(start + file.e_phoff, reinterpret_cast<std::byte*>(headers.data()),
            headers.size() * sizeof(Elf64_Phdr))) {
    return {};
  }
  std::erase_if(headers, [](const Elf64_Phdr& header) { return header.p_type != PT_LOAD; });
  return headers;
}

} // namespace

MappingsAnswer parse_maps(std::istream& maps) {
  MappingsAnswer answer;
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    std::array<char, 5> flags{};
    int path_at = 0;
    unsigned long start = 0;
    unsigned long end = 0;
    unsigned long offset = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %*s %*s %n", &start, &end, flags.data(), &offset,
                    &path_at) != 4) {
      return {};
    }
    mapping.start = start;
    mapping.end = end;
    mapping.file_offset = offset;
    mapping.permissions = {
        .read = flags[0] == 'r', .write = flags[1] == 'w', .execute = flags[2] == 'x'};
    mapping.shared = flags[3] == 's';
    mapping.path = path_at > 0 ? line.substr(static_cast<std::size_t>(path_at)) : std::string();
    answer.mappings.push_back(std::move(mapping));
    answer.known = true;
  }
  return answer;
}

MappingsAnswer process_mappings(std::int64_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  return parse_maps(maps);
}

void add_file_offsets(std::vector<Mapping>& mappings, const Read& read) {
  const std::uint64_t page = machine::page_size();
  std::string path;
  Address image = 0;
  std::vector<Elf64_Phdr> headers;
  for (Mapping& mapping : mappings) {
    if (!mapping.path.starts_with('/')) {
      continue;
    }
    if (mapping.path != path) { // the file's first mapping: what is loaded begins at its start
      path = mapping.path;
      image = mapping.start;
      headers = load_headers(image, read);
      mapping.file_offset = 0;
      continue;
    }
    mapping.file_offset = mapping.start - image; // of a file that is no image: a guess
    for (const Elf64_Phdr& header : headers) {
      const Address first = headers.front().p_vaddr / page * page;
      const Address start = image + (header.p_vaddr / page * page - first);
      if (mapping.start >= start && mapping.start < start + header.p_memsz + page) {
        mapping.file_offset = header.p_offset / page * page + (mapping.start - start);
      }
    }
  }
}

} // namespace pygc::wire
