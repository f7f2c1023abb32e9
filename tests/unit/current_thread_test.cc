// Where the interpreter's code looks for the PyThreadState of its thread.
#include "common/cpython/collector/current_thread.h"
#include "tests/unit/support/heap_builder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::cpython {
namespace {

using Code = std::vector<std::uint8_t>;
constexpr Address code_at = 0x400000;
constexpr std::size_t offset_at = 0x100; // a word that code may load the offset from
constexpr std::size_t code_size = 0x1000;

std::optional<std::int64_t> offset_of(const Code& code) {
  std::vector<std::uint8_t> bytes(code_size, 0x90);
  std::ranges::copy(code, bytes.begin());
  const std::int64_t offset = -0x1234;
  std::memcpy(bytes.data() + offset_at, &offset, sizeof offset);
  const int fd = ::memfd_create("code", MFD_CLOEXEC);
  EXPECT_EQ(::pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  image::AddressSpace memory;
  memory.own(fd);
  image::Region region;
  region.start = code_at;
  region.end = code_at + code_size;
  region.source = image::Source::file;
  region.fd = fd;
  region.permissions = {.read = true, .write = false, .execute = true};
  EXPECT_TRUE(memory.add(region));
  memory.sort();
  tests::FakeModule module;
  module.symbols["PyThreadState_GetUnchecked"] = code_at;
  return current_thread_offset(memory, module);
}

TEST(CurrentThread, IsReadAtAnOffset) {
  EXPECT_EQ(offset_of({0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff, 0xc3}), -8);
}

TEST(CurrentThread, IsReadBehindWhatFunctionsBeginWith) {
  EXPECT_EQ(offset_of({0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x64, 0x48, 0x8b, 0x04, 0x25,
                       0xf0, 0xff, 0xff, 0xff, 0x5d, 0xc3}),
            -16);
}

TEST(CurrentThread, MayHaveItsOffsetInARegister) {
  EXPECT_EQ(offset_of({0x48, 0xc7, 0xc0, 0xe8, 0xff, 0xff, 0xff, 0x64, 0x48, 0x8b, 0x00, 0xc3}),
            -24);
}

TEST(CurrentThread, MayHaveItsOffsetInMemory) {
  EXPECT_EQ(offset_of({0x48, 0x8b, 0x05, 0xf9, 0x00, 0x00, 0x00, 0x64, 0x48, 0x8b, 0x00, 0xc3}),
            -0x1234);
}

TEST(CurrentThread, IsNotGuessed) {
  EXPECT_EQ(offset_of({0x31, 0xc0, 0xc3}), std::nullopt);
  EXPECT_EQ(offset_of({0x64, 0x48, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x00, 0x7f, 0xc3}), std::nullopt);
}

} // namespace
} // namespace pygc::cpython
