// Packed cores: any bytes, in pieces of any size.
#include "common/target/core/decompress.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  constexpr std::size_t room = std::size_t{4} << 20;
  fuzz::Input input(data, size);
  const std::size_t piece = std::size_t{input.take<std::uint8_t>()} + 1;
  const auto packed = std::as_bytes(input.rest());
  const target::Compression compression =
      target::compression_of(packed.first(std::min<std::size_t>(packed.size(), 6)));
  if (compression == target::Compression::none) {
    return 0;
  }
  std::size_t at = 0;
  std::size_t unpacked = 0;
  static_cast<void>(target::decompress(
      compression,
      [&]() -> Result<std::span<const std::byte>> {
        const auto next = packed.subspan(at, std::min(piece, packed.size() - at));
        at += next.size();
        return next;
      },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        unpacked += bytes.size();
        if (unpacked > room) {
          return fail(ErrorKind::limit, 0, "no room");
        }
        return {};
      }));
  return 0;
}
