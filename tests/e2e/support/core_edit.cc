#include "tests/e2e/support/core_edit.h"

#include <algorithm>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace pygc::e2e {
namespace {

template <class T> T read_at(std::ifstream& file, std::uint64_t offset) {
  T value{};
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(&value), sizeof value);
  if (!file) {
    throw std::runtime_error("the core ends early");
  }
  return value;
}

} // namespace

CoreFile::CoreFile(const std::string& path) : path_(path) {
  std::ifstream file(path, std::ios::binary);
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto program = read_at<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (program.p_type == PT_LOAD) {
      segments_.push_back({program.p_vaddr, program.p_filesz, program.p_memsz, program.p_offset});
    }
  }
}

std::uint64_t CoreFile::offset_of(std::uint64_t address) const {
  for (const Segment& segment : segments_) {
    if (address >= segment.start && address - segment.start < segment.saved) {
      return segment.offset + (address - segment.start);
    }
  }
  throw std::runtime_error("the core has not saved that address");
}

std::uint64_t CoreFile::word(std::uint64_t address) const {
  std::ifstream file(path_, std::ios::binary);
  return read_at<std::uint64_t>(file, offset_of(address));
}

void CoreFile::set_word(std::uint64_t address, std::uint64_t value) const {
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset_of(address)));
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
  if (!file.flush()) {
    throw std::runtime_error("the core cannot be written");
  }
}

std::uint64_t CoreFile::unmapped_address() const {
  std::uint64_t candidate = 0x100000000000;
  while (std::ranges::any_of(segments_, [&](const Segment& segment) {
    return candidate >= segment.start && candidate - segment.start < segment.size;
  })) {
    candidate += 0x100000000;
  }
  return candidate;
}

std::uint64_t CoreFile::middle_of_largest_segment() const {
  const auto largest = std::ranges::max_element(segments_, {}, &Segment::saved);
  return largest->offset + largest->saved / 2;
}

Core copy_of(const Core& core) {
  Core copy = core;
  copy.directory = std::make_shared<TempDir>();
  copy.path = copy.directory->file("core");
  std::filesystem::copy_file(core.path, copy.path);
  return copy;
}

} // namespace pygc::e2e
