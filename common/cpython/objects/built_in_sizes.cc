#include "common/cpython/objects/built_in_sizes.h"

#include "common/cpython/objects/str_data.h"

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);
constexpr Address tag_bits = 3; // of a _PyStackRef
constexpr std::int64_t longest_utf8 = std::int64_t{1} << 42;
constexpr std::int32_t slot_limit = 1 << 20;

} // namespace

/// Up to 3.11 PyASCIIObject ends with a pointer to the same as wchar_t; PyCompactUnicodeObject adds
/// length and address of the UTF-8.
Result<MemoryParts> str_parts(const image::AddressSpace& memory, const Layout& layout,
                              Address str) {
  const auto chars = str_data(memory, layout, str);
  if (!chars) {
    return std::unexpected(chars.error());
  }
  MemoryParts parts{.own = {.start = str, .bytes = chars->first - str + chars->bytes()},
                    .body = {}};
  if (layout.ascii_size >= layout.unicode_state + 2 * word) {
    parts.complete = memory.load<Address>(str + layout.ascii_size - word).value_or(1) == 0;
  }
  if (!chars->ascii) {
    const auto length = memory.load<std::int64_t>(str + layout.ascii_size);
    const auto utf8 = memory.load<Address>(str + layout.ascii_size + word);
    if (!length || !utf8 || *length < 0 || *length > longest_utf8) {
      parts.complete = false;
    } else if (*utf8 != 0) {
      parts.body = {.start = *utf8, .bytes = static_cast<std::uint64_t>(*length) + 1};
    }
  }
  return parts;
}

std::optional<std::uint64_t> frame_slots(const image::AddressSpace& memory, const Layout& layout,
                                         Address code) {
  if (!layout.co_nlocalsplus || !layout.co_firstlineno) {
    return std::nullopt;
  }
  const auto variables = memory.load<std::int32_t>(code + *layout.co_nlocalsplus);
  // co_stacksize precedes co_firstlineno (PyCodeObject, Include/cpython/code.h).
  const auto stack =
      memory.load<std::int32_t>(code + *layout.co_firstlineno - sizeof(std::int32_t));
  if (!variables || !stack || *variables < 0 || *stack < 0 || *variables > slot_limit ||
      *stack > slot_limit) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*variables) + static_cast<std::uint64_t>(*stack);
}

std::optional<std::uint64_t> bytes_of_frame(ObjectReader& reader, Address object, Address type) {
  const image::AddressSpace& memory = reader.memory();
  const Layout& layout = reader.runtime().layout;
  const auto code_field = layout.frame_code ? layout.frame_code : layout.frame_executable;
  const std::int64_t basicsize = reader.type(type).basicsize;
  if (!code_field || !layout.frame_localsplus ||
      basicsize < static_cast<std::int64_t>(*layout.frame_localsplus)) {
    return std::nullopt;
  }
  // tp_basicsize ends where the frame's variables begin. PyFrameObject: f_back, f_frame.
  const Address frame = reader.is_instance(type, "PyFrame_Type")
                            ? memory.load<Address>(object + layout.ob_size + word).value_or(0)
                            : object + static_cast<Address>(basicsize) - *layout.frame_localsplus;
  const Address code = memory.load<Address>(frame + *code_field).value_or(0) & ~tag_bits;
  const auto code_type = code == 0 ? Result<Address>(0) : reader.type_address(code);
  if (!code_type || *code_type == 0 || *code_type != reader.exported("PyCode_Type")) {
    return std::nullopt;
  }
  const auto slots = frame_slots(memory, layout, code);
  return slots ? std::optional(*slots * word) : std::nullopt;
}

} // namespace pygc::cpython
