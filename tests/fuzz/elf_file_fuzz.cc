// A file behind an image: symbols and debug information.
#include "common/cpython/layout.h"
#include "common/image/address_space.h"
#include "common/image/dwarf/dwarf_layout.h"
#include "common/image/dwarf/dwarf_source.h"
#include "common/image/dwarf/dwarf_static.h"
#include "common/image/dwarf/dwarf_variables.h"
#include "common/image/elf/symbol_table.h"
#include "tests/fuzz/fuzz_input.h"

#include <map>
#include <string>

namespace pygc {
namespace {

void look_at_symbols(const image::ElfHandle& elf) {
  for (const std::uint32_t type : {std::uint32_t{SHT_SYMTAB}, std::uint32_t{SHT_DYNSYM}}) {
    const auto section = elf.section_of_type(type);
    if (!section) {
      continue;
    }
    const image::SymbolTable table(elf, *section, 0);
    for (const char* name : {"main", "_PyRuntime", "counted"}) {
      for (const image::Symbol& symbol : table.find(name)) {
        static_cast<void>(table.covering(symbol.address));
      }
    }
    static_cast<void>(table.covering(0x1000));
  }
}

void look_at_code(const image::DwarfInfo& dwarf, Address address) {
  image::Registers registers{};
  registers.fill(0x1000);
  const image::AddressSpace nothing;
  image::EvaluationContext context;
  context.memory = &nothing;
  context.registers = &registers;
  context.cfa = 0x2000;
  std::map<std::string, std::uint64_t, std::less<>> variables;
  for (Dwarf_Die& scope : image::code_scopes(dwarf, address)) {
    static_cast<void>(image::frame_base_of(scope, address, context));
    image::read_variables(scope, address, context, std::nullopt, variables);
    image::read_variables(scope, address, context, image::Range{0x1000, 0x1100}, variables);
  }
  static_cast<void>(image::describe_source_line(dwarf, address));
}

} // namespace
} // namespace pygc

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  const UniqueFd file = fuzz::file_of({data, size});
  auto elf = image::ElfHandle::open(file.get(), "file");
  if (!elf) {
    return 0;
  }
  static_cast<void>(elf->build_id());
  look_at_symbols(*elf);
  image::FileOptions options;
  options.sysroot = "/proc/self/fdinfo";
  options.debuginfod = false;
  const auto dwarf = image::DwarfInfo::open(*elf, options);
  if (!dwarf) {
    return 0;
  }
  static_cast<void>(cpython::make_layout(image::read_layouts(**dwarf, cpython::layout_queries())));
  for (const Address address : {0x1000U, 0x1110U, 0x1140U, 0x4000U, 0x4020U}) {
    look_at_code(**dwarf, address);
    static_cast<void>(image::describe_static_variable(**dwarf, address));
  }
  return 0;
}
