// The names of a variable and of the function that it is of.
#include "common/cpython/objects/frame_objects.h"
#include "common/cpython/objects/item_place.h"
#include "common/cpython/objects/line_table.h"
#include "common/cpython/objects/running_frames.h"

namespace pygc::cpython {

FrameVariable frame_variable(ObjectReader& reader, const FrameReference& reference) {
  const Layout& layout = reader.runtime().layout;
  const image::AddressSpace& memory = reader.memory();
  const auto text = [&](Layout::Maybe field) -> std::string {
    const auto str = field ? memory.load<Address>(reference.code + *field) : Address{0};
    return str && *str != 0 ? reader.text(*str).value_or("") : "";
  };
  FrameVariable variable{.name = {},
                         .function = text(layout.co_qualname),
                         .file = text(layout.co_filename),
                         .line =
                             line_of(reader, reference.code, reference.instruction).value_or(0)};
  if (variable.function.empty()) { // co_qualname came with 3.11
    const auto name = reader.member(reference.code, "co_name");
    variable.function = name && *name != 0 ? reader.text(*name).value_or("") : "";
  }
  const auto names = layout.co_localsplusnames
                         ? memory.load<Address>(reference.code + *layout.co_localsplusnames)
                         : Address{0};
  if (names && *names != 0) {
    const auto items = tuple_items(reader, *names);
    const auto name =
        items && reference.variable < items->count
            ? memory.load<Address>(items->first + reference.variable * sizeof(Address))
            : Address{0};
    if (name && *name != 0) {
      variable.name = reader.text(*name).value_or("");
    }
  }
  if (variable.name.empty()) {
    variable.name = frame_object_variable(reader, reference);
  }
  return variable;
}

} // namespace pygc::cpython
