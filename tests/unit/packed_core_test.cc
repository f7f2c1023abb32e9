// Cores as they are stored: each format unpacks to the same bytes, whatever is wrong is said.
#include "common/target/core/packed_core.h"

#include "common/target/core/decompress.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <lzma.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

namespace pygc::target {
namespace {

namespace fs = std::filesystem;

std::string pack(Compression compression, const std::string& text) {
  std::string packed(text.size() + (std::size_t{1} << 20), '\0');
  auto* out = reinterpret_cast<std::uint8_t*>(packed.data());
  const auto* in = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t size = 0;
  switch (compression) {
  case Compression::zstd:
    size = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1);
    break;
  case Compression::lz4:
    size = LZ4F_compressFrame(packed.data(), packed.size(), text.data(), text.size(), nullptr);
    break;
  case Compression::xz:
    EXPECT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, in, text.size(), out, &size,
                                      packed.size()),
              LZMA_OK);
    break;
  case Compression::gzip: {
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = const_cast<Bytef*>(in);
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = out;
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    size = stream.total_out;
    ::deflateEnd(&stream);
    break;
  }
  case Compression::none:
    return text;
  }
  packed.resize(size);
  return packed;
}

/// Zeros, what packs badly, and zeros again; no whole number of pages.
std::string sample() {
  std::string text(3 << 20, '\0');
  std::uint32_t state = 1;
  for (std::size_t i = 1 << 20; i < 2 << 20; ++i) {
    state = state * 1664525U + 1013904223U;
    text[i] = static_cast<char>(state >> 24U);
  }
  return text + "end" + std::string(5000, '\0');
}

class PackedCore : public ::testing::TestWithParam<Compression> {
protected:
  PackedCore() {
    std::string name = (fs::temp_directory_path() / "pygc-packed-XXXXXX").string();
    directory = ::mkdtemp(name.data());
  }
  ~PackedCore() override { fs::remove_all(directory); }

  std::string write(const std::string& bytes) const {
    const std::string path = directory / "core";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Result<UniqueFd> open(const std::string& path) const {
    return open_packed_core(path, {.directory = directory / "cache", .says = {}, .cancelled = {}});
  }
  static std::string contents(const UniqueFd& fd) {
    struct stat status{};
    ::fstat(fd.get(), &status);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    EXPECT_EQ(::pread(fd.get(), text.data(), text.size(), 0), status.st_size);
    return text;
  }

  fs::path directory;
};

/// What a plain file is not: in members, truncated within one, damaged, unpacked at length.
class CompressedCore : public PackedCore {};

class PackedZstd : public PackedCore {};

const auto compressed =
    ::testing::Values(Compression::zstd, Compression::lz4, Compression::xz, Compression::gzip);

TEST_P(PackedCore, UnpacksToTheSameBytes) {
  const auto fd = open(write(pack(GetParam(), sample())));
  ASSERT_TRUE(fd) << fd.error().reason;
  EXPECT_TRUE(contents(*fd) == sample());
  if (GetParam() != Compression::none) { // the zeros take no room
    struct stat status{};
    ::fstat(fd->get(), &status);
    EXPECT_LT(status.st_blocks * 512, 2 << 20);
    EXPECT_TRUE(fs::is_empty(directory / "cache")) << "the file has a name";
  }
}

TEST_P(PackedZstd, WithAWindowOfTwoGigabytesIsRefused) {
  const auto fd = open(write(std::string("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9)));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().kind, ErrorKind::limit);
  EXPECT_NE(fd.error().reason.find("window of more than 1 GiB"), std::string::npos);
}

TEST_P(CompressedCore, TakesOneMemberAfterAnother) {
  const auto fd = open(write(pack(GetParam(), "one") + pack(GetParam(), sample())));
  ASSERT_TRUE(fd) << fd.error().reason;
  EXPECT_TRUE(contents(*fd) == "one" + sample());
}

TEST_P(CompressedCore, GivesWhatATruncatedFileHas) {
  const std::string packed = pack(GetParam(), sample());
  const auto fd = open(write(packed.substr(0, packed.size() / 2)));
  ASSERT_TRUE(fd) << fd.error().reason;
  const std::string text = contents(*fd);
  EXPECT_LT(text.size(), sample().size());
  EXPECT_TRUE(sample().starts_with(text));
}

TEST_P(CompressedCore, RefusesDamage) {
  std::string packed = pack(GetParam(), sample());
  packed.replace(6, 200, 200, '\xff');
  const auto fd = open(write(packed));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().kind, ErrorKind::corrupt);
  EXPECT_THAT(fd.error().reason, ::testing::HasSubstr(std::string(compression_name(GetParam()))));
}

TEST_P(PackedCore, ComesThroughAPipe) {
  const std::string path = directory / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  UniqueFd keeps_it_open(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::thread writer([&] {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string packed = pack(GetParam(), sample());
    std::size_t done = 0;
    while (done < packed.size()) {
      const ssize_t n = ::write(fd, packed.data() + done, packed.size() - done);
      if (n <= 0) {
        break;
      }
      done += static_cast<std::size_t>(n);
    }
    ::close(fd);
    keeps_it_open.reset();
  });
  const auto fd = open(path);
  writer.join();
  ASSERT_TRUE(fd) << fd.error().reason;
  EXPECT_TRUE(contents(*fd) == sample());
}

TEST_P(CompressedCore, StopsWhenItIsCancelled) {
  int calls = 0;
  const auto fd = open_packed_core(
      write(pack(GetParam(), sample())),
      {.directory = directory, .says = {}, .cancelled = [&calls] { return ++calls > 1; }});
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().kind, ErrorKind::cancelled);
}

std::string name_of(const ::testing::TestParamInfo<Compression>& param) {
  return std::string(compression_name(param.param));
}

INSTANTIATE_TEST_SUITE_P(Plain, PackedCore, ::testing::Values(Compression::none), name_of);
INSTANTIATE_TEST_SUITE_P(Formats, PackedCore, compressed, name_of);
INSTANTIATE_TEST_SUITE_P(Windows, PackedZstd, ::testing::Values(Compression::zstd));
INSTANTIATE_TEST_SUITE_P(Formats, CompressedCore, compressed, name_of);

} // namespace
} // namespace pygc::target
