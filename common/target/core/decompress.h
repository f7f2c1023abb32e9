// The formats that cores are stored in, as streams: zstd and lz4 (systemd-coredump), xz, gzip.
#pragma once

#include "common/base/error.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace pygc::target {

enum class Compression : std::uint8_t { none, zstd, lz4, xz, gzip };

/// By the first bytes (six are enough).
Compression compression_of(std::span<const std::byte> begin);
std::string_view compression_name(Compression compression);

/// Gives the next piece of the packed bytes; empty at the end. It stays valid up to the next call.
using Source = std::function<Result<std::span<const std::byte>>()>;
/// Takes a piece of the unpacked bytes.
using Sink = std::function<Result<void>(std::span<const std::byte>)>;

/// Unpacks all members (frames, streams) of the source. False: the source ended inside one; what
/// came before has been given. Errors: corrupt (the bytes are none of the format), limit (the
/// format asks for more memory than pygc gives), those of source and sink.
Result<bool> decompress(Compression compression, const Source& source, const Sink& sink);

} // namespace pygc::target
