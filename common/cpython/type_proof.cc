#include "common/cpython/type_proof.h"

#include "common/cpython/type_flag.h"
#include "common/machine/machine.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t name_limit = 128;

} // namespace

bool is_plausible(Address address, Address alignment) {
  return address >= machine::least_page_size && address < machine::user_space_end &&
         address % alignment == 0;
}

Result<void> prove_type(const image::AddressSpace& memory, const Layout& layout, Address type) {
  const auto name = memory.load<Address>(type + layout.tp_name);
  const auto flags = memory.load<std::uint64_t>(type + layout.tp_flags);
  if (is_not_saved(name) || is_not_saved(flags)) {
    return std::unexpected(name ? flags.error() : name.error());
  }
  if (!name || !flags) {
    return fail(ErrorKind::corrupt, type, fmt::format("no type object at {:#x}", type));
  }
  const auto text = memory.load_string(*name, name_limit);
  if (is_not_saved(text)) {
    return std::unexpected(text.error());
  }
  if (!text || text->empty() ||
      std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return fail(ErrorKind::corrupt, type, fmt::format("the type at {:#x} has no name", type));
  }
  if ((*flags >> type_flag::have_gc & 1) == 0) {
    return fail(ErrorKind::corrupt, type,
                fmt::format("the type '{}' of a tracked object is not a GC type", *text));
  }
  return {};
}

bool looks_like_object(const image::AddressSpace& memory, const Layout& layout, Address object) {
  const auto type = memory.load<Address>(object + layout.ob_type);
  return type && is_plausible(*type) && prove_type(memory, layout, *type).has_value();
}

} // namespace pygc::cpython
