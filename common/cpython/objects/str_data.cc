#include "common/cpython/objects/str_data.h"

#include <fmt/format.h>
#include <optional>

namespace pygc::cpython {
namespace {

constexpr std::int64_t longest = std::int64_t{1} << 40;

struct State {
  unsigned kind = 0;
  bool ascii = false;
};

/// The bit field PyASCIIObject.state: `interned` takes 2 bits, or 16 in newer versions; a str
/// cannot have kind 0, which tells the two apart.
std::optional<State> decode(std::uint32_t state) {
  for (const unsigned shift : {2U, 16U}) {
    const unsigned kind = state >> shift & 7;
    const bool compact = (state >> (shift + 3) & 1) != 0;
    if ((kind == 1 || kind == 2 || kind == 4) && compact) {
      return State{.kind = kind, .ascii = (state >> (shift + 4) & 1) != 0};
    }
  }
  return std::nullopt;
}

} // namespace

Result<StrData> str_data(const image::AddressSpace& memory, const Layout& layout, Address str) {
  const auto count = memory.load<std::int64_t>(str + layout.unicode_length);
  const auto state = memory.load<std::uint32_t>(str + layout.unicode_state);
  if (!count || !state) {
    return std::unexpected(count ? state.error() : count.error());
  }
  const auto decoded = decode(*state);
  if (!decoded || *count < 0 || *count > longest) {
    return fail(ErrorKind::corrupt, str, fmt::format("there is no str at {:#x}", str));
  }
  return StrData{.count = static_cast<std::uint64_t>(*count),
                 .kind = decoded->kind,
                 .ascii = decoded->ascii,
                 .first = str + (decoded->ascii ? layout.ascii_size : layout.compact_size)};
}

} // namespace pygc::cpython
