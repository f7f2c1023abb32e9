// A core: ELF headers, notes, the image put together of it, stacks.
#include "common/image/process/process_image.h"
#include "common/target/core/core_file.h"
#include "tests/fuzz/fuzz_input.h"

namespace pygc {
namespace {

void look_at_modules(const image::ProcessImage& image) {
  for (const auto& module : image.modules()) {
    static_cast<void>(module->find_symbol("_PyRuntime"));
    static_cast<void>(module->symbol_at(module->extent().start + 0x1000));
    static_cast<void>(module->section(".PyRuntime"));
    static_cast<void>(module->describe_static(module->extent().start));
  }
}

void look_at_memory(const image::AddressSpace& memory) {
  Address before = 0;
  for (const image::Region& region : memory.regions()) {
    fuzz::must(region.start < region.end && region.start >= before);
    before = region.end;
    for (const Address at : {region.start, region.end - 8, region.end - 4}) {
      static_cast<void>(memory.load<std::uint64_t>(at));
    }
    static_cast<void>(memory.load_string(region.start));
  }
}

} // namespace
} // namespace pygc

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  auto target = target::open_core(fuzz::file_of({data, size}), "core");
  if (!target) {
    return 0;
  }
  Address before = 0;
  for (const target::Segment& segment : (*target)->segments()) {
    fuzz::must(segment.start >= before && segment.saved <= segment.size);
    fuzz::must(segment.offset <= size && segment.saved <= size - segment.offset);
    before = segment.start + segment.size;
  }
  // No file of this machine takes part.
  image::FileOptions files;
  files.sysroot = "/proc/self/fdinfo";
  files.debuginfod = false;
  auto image = image::open_process_image(**target, files);
  if (!image) {
    return 0;
  }
  look_at_memory((*image)->memory());
  look_at_modules(**image);
  for (const target::Thread& thread : (*target)->threads()) {
    static_cast<void>((*image)->unwind(thread, 16));
  }
  return 0;
}
