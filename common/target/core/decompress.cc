#include "common/target/core/decompress.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <lz4frame.h>
#include <lzma.h>
#include <memory>
#include <vector>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace pygc::target {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::uint64_t xz_memory = std::uint64_t{1} << 30; // bytes; xz -9 needs 65 MiB
constexpr int zstd_window_log = 30;                         // as much as for xz

std::unexpected<Error> damaged(Compression compression, std::string_view why) {
  return fail(ErrorKind::corrupt, 0,
              fmt::format("the {} data are damaged: {}", compression_name(compression), why));
}

template <class T> T* bytes(std::span<const std::byte> span) {
  return const_cast<T*>(reinterpret_cast<const T*>(span.data()));
}

Result<bool> unpack_zstd(const Source& source, const Sink& sink) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          &ZSTD_freeDStream);
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, zstd_window_log);
  std::vector<std::byte> unpacked(piece);
  std::size_t left = 0; // 0: between two frames
  for (;;) {
    const auto packed = source();
    if (!packed) {
      return std::unexpected(packed.error());
    }
    if (packed->empty()) {
      return left == 0;
    }
    ZSTD_inBuffer in{packed->data(), packed->size(), 0};
    bool full = false; // more may have been unpacked than there was room for
    while (in.pos < in.size || full) {
      ZSTD_outBuffer out{unpacked.data(), unpacked.size(), 0};
      left = ZSTD_decompressStream(stream.get(), &out, &in);
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge) {
        return fail(ErrorKind::limit, 0,
                    "the zstd data need a window of more than 1 GiB: unpack them first (zstd -d "
                    "--long=31)");
      }
      if (ZSTD_isError(left) != 0) {
        return damaged(Compression::zstd, ZSTD_getErrorName(left));
      }
      if (auto taken = sink(std::span(unpacked).first(out.pos)); !taken) {
        return std::unexpected(taken.error());
      }
      full = out.pos == out.size && left != 0;
    }
  }
}

Result<bool> unpack_lz4(const Source& source, const Sink& sink) {
  LZ4F_dctx* created = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&created, LZ4F_VERSION)) != 0) {
    return fail(ErrorKind::limit, 0, "no memory to unpack lz4");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> stream(
      created, &LZ4F_freeDecompressionContext);
  std::vector<std::byte> unpacked(piece);
  std::size_t left = 0;
  for (;;) {
    const auto packed = source();
    if (!packed) {
      return std::unexpected(packed.error());
    }
    if (packed->empty()) {
      return left == 0;
    }
    std::span<const std::byte> rest = *packed;
    bool full = false;
    while (!rest.empty() || full) {
      std::size_t room = unpacked.size();
      std::size_t used = rest.size();
      left = LZ4F_decompress(stream.get(), unpacked.data(), &room, rest.data(), &used, nullptr);
      if (LZ4F_isError(left) != 0) {
        return damaged(Compression::lz4, LZ4F_getErrorName(left));
      }
      if (auto taken = sink(std::span(unpacked).first(room)); !taken) {
        return std::unexpected(taken.error());
      }
      full = room == unpacked.size() && left != 0;
      rest = rest.subspan(used);
    }
  }
}

/// zlib's and liblzma's streams differ in their names alone. `step` unpacks what it can of the
/// input and returns whether a member has ended, or what is wrong.
template <class Stream, class Byte, class Step>
Result<bool> unpack_stream(Stream& stream, const Source& source, const Sink& sink, Step step) {
  std::vector<std::byte> unpacked(piece);
  bool ended = true;
  for (;;) {
    const auto packed = source();
    if (!packed) {
      return std::unexpected(packed.error());
    }
    if (packed->empty()) {
      return ended;
    }
    stream.next_in = bytes<Byte>(*packed);
    stream.avail_in = static_cast<decltype(stream.avail_in)>(packed->size());
    bool full = false;
    while (stream.avail_in > 0 || full) {
      stream.next_out = bytes<Byte>(unpacked);
      stream.avail_out = static_cast<decltype(stream.avail_out)>(unpacked.size());
      const Result<bool> stepped = step(stream);
      if (!stepped) {
        return stepped;
      }
      ended = *stepped;
      const std::size_t done = unpacked.size() - static_cast<std::size_t>(stream.avail_out);
      if (auto taken = sink(std::span(unpacked).first(done)); !taken) {
        return std::unexpected(taken.error());
      }
      full = stream.avail_out == 0 && !ended;
    }
  }
}

Result<bool> unpack_xz(const Source& source, const Sink& sink) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> end(&stream, &lzma_end);
  const auto start = [&stream] { return lzma_stream_decoder(&stream, xz_memory, 0) == LZMA_OK; };
  if (!start()) {
    return fail(ErrorKind::limit, 0, "no memory to unpack xz");
  }
  return unpack_stream<lzma_stream, std::uint8_t>(
      stream, source, sink, [&](lzma_stream& one) -> Result<bool> {
        switch (lzma_code(&one, LZMA_RUN)) {
        case LZMA_OK:
        case LZMA_BUF_ERROR:
          return false;
        case LZMA_STREAM_END: {
          const auto* in = one.next_in;
          const auto size = one.avail_in;
          auto* out = one.next_out;
          const auto room = one.avail_out;
          if (!start()) {
            return fail(ErrorKind::limit, 0, "no memory to unpack xz");
          }
          one.next_in = in;
          one.avail_in = size;
          one.next_out = out;
          one.avail_out = room;
          return true;
        }
        case LZMA_MEMLIMIT_ERROR:
          return fail(ErrorKind::limit, 0, "the xz data need more than 1 GiB to be unpacked");
        default:
          return damaged(Compression::xz, "the decoder refuses them");
        }
      });
}

Result<bool> unpack_gzip(const Source& source, const Sink& sink) {
  z_stream stream{};
  constexpr int gzip_only = 15 + 16;
  if (::inflateInit2(&stream, gzip_only) != Z_OK) {
    return fail(ErrorKind::limit, 0, "no memory to unpack gzip");
  }
  const std::unique_ptr<z_stream, decltype(&::inflateEnd)> end(&stream, &::inflateEnd);
  return unpack_stream<z_stream, Bytef>(stream, source, sink, [](z_stream& one) -> Result<bool> {
    switch (::inflate(&one, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR:
      return false;
    case Z_STREAM_END:
      ::inflateReset(&one);
      return true;
    default:
      return damaged(Compression::gzip, one.msg == nullptr ? "the decoder refuses them" : one.msg);
    }
  });
}

} // namespace

Compression compression_of(std::span<const std::byte> begin) {
  struct Magic {
    Compression compression;
    std::string_view bytes;
  };
  static constexpr std::array magics = {Magic{Compression::zstd, "\x28\xb5\x2f\xfd"},
                                        Magic{Compression::lz4, "\x04\x22\x4d\x18"},
                                        Magic{Compression::xz, std::string_view("\xfd"
                                                                                "7zXZ\0",
                                                                                6)},
                                        Magic{Compression::gzip, "\x1f\x8b\x08"}};
  const std::string_view text(reinterpret_cast<const char*>(begin.data()), begin.size());
  for (const Magic& magic : magics) {
    if (text.starts_with(magic.bytes)) {
      return magic.compression;
    }
  }
  return Compression::none;
}

std::string_view compression_name(Compression compression) {
  switch (compression) {
  case Compression::none:
    return "plain";
  case Compression::zstd:
    return "zstd";
  case Compression::lz4:
    return "lz4";
  case Compression::xz:
    return "xz";
  case Compression::gzip:
    return "gzip";
  }
  return "plain";
}

Result<bool> decompress(Compression compression, const Source& source, const Sink& sink) {
  switch (compression) {
  case Compression::zstd:
    return unpack_zstd(source, sink);
  case Compression::lz4:
    return unpack_lz4(source, sink);
  case Compression::xz:
    return unpack_xz(source, sink);
  case Compression::gzip:
    return unpack_gzip(source, sink);
  case Compression::none:
    break;
  }
  for (;;) {
    const auto packed = source();
    if (!packed) {
      return std::unexpected(packed.error());
    }
    if (packed->empty()) {
      return true;
    }
    if (auto taken = sink(*packed); !taken) {
      return std::unexpected(taken.error());
    }
  }
}

} // namespace pygc::target
