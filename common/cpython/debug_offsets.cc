#include "common/cpython/debug_offsets.h"

#include <array>
#include <cstring>

namespace pygc::cpython {
namespace {

// The head of the struct has kept its order since it exists; what follows moves with the series.
enum Word : std::size_t {
  cookie,
  version,
  free_threaded,
  runtime_size,
  runtime_finalizing,
  interpreters_head,
  interpreter_size,
  interpreter_id,
  interpreter_next,
  interpreter_threads_head,
  word_count,
};
constexpr std::uint64_t offset_limit = std::uint64_t{64} << 20;

} // namespace

std::optional<DebugOffsets> read_debug_offsets(const image::AddressSpace& memory, Address runtime) {
  const auto words = memory.load<std::array<std::uint64_t, word_count>>(runtime);
  if (!words || std::memcmp(words->data(), "xdebugpy", 8) != 0) {
    return std::nullopt;
  }
  for (std::size_t i = runtime_size; i < word_count; ++i) {
    if ((*words)[i] > offset_limit) {
      return std::nullopt;
    }
  }
  return DebugOffsets{
      .hexversion = static_cast<std::uint32_t>((*words)[version]),
      .free_threaded = (*words)[free_threaded] != 0,
      .runtime_size = (*words)[runtime_size],
      .interpreters_head = (*words)[interpreters_head],
      .interpreter_size = (*words)[interpreter_size],
      .interpreter_id = (*words)[interpreter_id],
      .interpreter_next = (*words)[interpreter_next],
      .interpreter_threads_head = (*words)[interpreter_threads_head],
  };
}

} // namespace pygc::cpython
