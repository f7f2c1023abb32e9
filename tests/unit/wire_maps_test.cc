// What a process has mapped, from the kernel's text and from program headers in memory.
#include "common/protocol/wire_maps.h"

#include <array>
#include <cstring>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace pygc::wire {
namespace {

TEST(Maps, AreParsed) {
  std::istringstream text("00400000-00401000 r-xp 00002000 08:01 42    /usr/bin/a b\n"
                          "7f0000000000-7f0000002000 rw-s 00000000 00:05 7  /dev/zero (deleted)\n"
                          "7f0000003000-7f0000004000 ---p 00000000 00:00 0 \n");
  const auto answer = parse_maps(text);
  ASSERT_TRUE(answer.known);
  ASSERT_EQ(answer.mappings.size(), 3U);
  const Mapping& code = answer.mappings[0];
  EXPECT_EQ(code.start, 0x400000U);
  EXPECT_EQ(code.end, 0x401000U);
  EXPECT_EQ(code.file_offset, 0x2000U);
  EXPECT_TRUE(code.permissions.read && code.permissions.execute && !code.permissions.write);
  EXPECT_FALSE(code.shared);
  EXPECT_EQ(code.path, "/usr/bin/a b");
  EXPECT_TRUE(answer.mappings[1].shared && answer.mappings[1].permissions.write);
  EXPECT_EQ(answer.mappings[1].path, "/dev/zero (deleted)");
  EXPECT_FALSE(answer.mappings[2].permissions.read);
  EXPECT_EQ(answer.mappings[2].path, "");
}

TEST(Maps, OtherTextIsNotKnown) {
  for (const char* text : {"", "no such process\n", "00400000-00401000 r-xp\n"}) {
    std::istringstream stream(text);
    EXPECT_FALSE(parse_maps(stream).known) << text;
  }
}

TEST(Maps, FileOffsetsComeFromTheProgramHeaders) {
  constexpr Address image = 0x5500'0000'0000;
  struct {
    Elf64_Ehdr file{};
    std::array<Elf64_Phdr, 3> programs{};
  } headers;
  std::memcpy(headers.file.e_ident, ELFMAG, SELFMAG);
  headers.file.e_ident[EI_CLASS] = ELFCLASS64;
  headers.file.e_phoff = sizeof headers.file;
  headers.file.e_phentsize = sizeof(Elf64_Phdr);
  headers.file.e_phnum = 3;
  const auto load = [](std::uint64_t offset, std::uint64_t address, std::uint64_t size) {
    Elf64_Phdr program{};
    program.p_type = PT_LOAD;
    program.p_offset = offset;
    program.p_vaddr = address;
    program.p_filesz = program.p_memsz = size;
    return program;
  };
  headers.programs = {load(0, 0, 0x1000), load(0x1000, 0x1000, 0x2000),
                      load(0x3db8, 0x4db8, 0x800)};
  const Read read = [&](Address address, std::byte* to, std::size_t size) {
    if (address < image || address - image + size > sizeof headers) {
      return false;
    }
    std::memcpy(to, reinterpret_cast<const std::byte*>(&headers) + (address - image), size);
    return true;
  };
  const auto mapping = [](Address start, const char* path) {
    return Mapping{.start = start, .end = start + 0x1000, .permissions = {}, .path = path};
  };
  std::vector<Mapping> mappings = {
      mapping(image, "/lib/x"),          mapping(image + 0x1000, "/lib/x"),
      mapping(image + 0x2000, "/lib/x"), mapping(image + 0x4000, "/lib/x"),
      mapping(image + 0x5000, ""),       mapping(image + 0x10000, "/data"),
      mapping(image + 0x11000, "/data")};
  add_file_offsets(mappings, read);
  std::vector<std::uint64_t> offsets;
  offsets.reserve(mappings.size());
  for (const Mapping& each : mappings) {
    offsets.push_back(each.file_offset);
  }
  EXPECT_THAT(offsets, ::testing::ElementsAre(0, 0x1000, 0x2000, 0x3000, 0, 0, 0x1000));
}

} // namespace
} // namespace pygc::wire
