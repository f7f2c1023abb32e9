// Layouts: table files, and what a target says of itself (_Py_DebugOffsets).
#include "common/cpython/debug_offsets.h"
#include "common/cpython/layout.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

constexpr pygc::Address runtime = 0x10'0000;

void look_at_offsets(std::span<const std::uint8_t> bytes) {
  using namespace pygc;
  constexpr std::size_t page = 4096;
  UniqueFd file = fuzz::file_of(bytes);
  const std::uint64_t size = (bytes.size() + page - 1) / page * page;
  if (size == 0 || ::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
    return;
  }
  image::AddressSpace memory;
  const int fd = file.release();
  memory.own(fd);
  image::Region region;
  region.start = runtime;
  region.end = runtime + size;
  region.source = image::Source::saved;
  region.fd = fd;
  fuzz::must(memory.add(std::move(region)).has_value());
  memory.sort();
  static_cast<void>(cpython::read_debug_offsets(memory, runtime));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  fuzz::Input input(data, size);
  static_cast<void>(cpython::parse_layout_table("table", input.text()));
  look_at_offsets({data, size});
  return 0;
}
