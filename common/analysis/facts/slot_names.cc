#include "common/analysis/facts/slot_names.h"

#include "common/cpython/objects/attributes.h"
#include "common/cpython/objects/int_value.h"
#include "common/cpython/objects/struct_members.h"

#include <fmt/format.h>

namespace pygc::analysis {
namespace {

constexpr std::size_t item_limit = std::size_t{1} << 24; // of a list or tuple that are looked at
constexpr std::size_t key_limit = 60;                    // characters of a key

} // namespace

std::string SlotNames::name(Address container, SlotAddress slot) {
  if (!slot.is_known()) {
    return {};
  }
  const Ownership::Extent extent = ownership_.extent(container);
  const bool inside = slot.at >= container && slot.at < extent.object.end;
  if (!inside) {
    if (const image::Module* module = ownership_.static_image(slot)) {
      return static_variable(*module, slot);
    }
    if (extent.state.contains(slot.at)) {
      return state_field(container, slot.at - extent.state.start);
    }
  }
  if (std::string name = item(container, slot); !name.empty()) {
    return name;
  }
  if (std::string name = attribute(container, slot); !name.empty()) {
    return name;
  }
  if (inside) {
    return field(container, slot.at - container);
  }
  // A generator's variables lie behind what its type tells of its size.
  const auto reference = cpython::frame_reference_in(reader_, container, slot);
  return reference ? variable(*reference) : std::string{};
}

std::string SlotNames::attribute(Address container, SlotAddress slot) {
  Address key = 0;
  const auto at_slot = [&](const cpython::DictEntry& entry) {
    key = entry.value_at == slot ? entry.key : 0;
    return key == 0;
  };
  // What could be read until an error is as good.
  [[maybe_unused]] const auto values = cpython::each_inline_value(reader_, container, at_slot);
  if (key == 0) { // since 3.13 a dict that is made leaves the values where they are
    const auto dict = reader_.instance_dict(container);
    if (dict && *dict != 0) {
      [[maybe_unused]] const auto read = reader_.each_entry(*dict, at_slot);
    }
  }
  if (key == 0) {
    return {};
  }
  const auto name = reader_.text(key, key_limit);
  return name ? "." + *name : std::string{};
}

std::string SlotNames::item(Address container, SlotAddress slot) {
  const auto place = cpython::item_at(reader_, container, slot);
  return place ? spelled(*place) : std::string{};
}

std::string SlotNames::item_name(Address container, Address object) {
  const auto place = cpython::find_item(reader_, container, object, item_limit);
  return place ? spelled(*place) : std::string{};
}

std::string SlotNames::spelled(const cpython::ItemPlace& place) {
  switch (place.kind) {
  case cpython::ItemPlace::Kind::index:
    return fmt::format("[{}]", place.index);
  case cpython::ItemPlace::Kind::key:
    return "a key";
  case cpython::ItemPlace::Kind::element:
    return "an element";
  case cpython::ItemPlace::Kind::value:
    break;
  }
  const auto type = reader_.type_address(place.key);
  if (type && reader_.type(*type).has_flag(cpython::type_flag::unicode_subclass)) {
    const auto text = reader_.text(place.key, key_limit);
    return text ? fmt::format("['{}']", *text) : "a value";
  }
  const std::optional<std::int64_t> number = cpython::int_value(reader_, place.key);
  return number ? fmt::format("[{}]", *number) : "a value";
}

std::string SlotNames::field(Address container, std::uint64_t offset) {
  const cpython::Layout& layout = reader_.runtime().layout;
  if (offset == layout.ob_type) {
    return "its type";
  }
  if (reader_.is_module(container) && offset == layout.md_dict) {
    return ".__dict__";
  }
  if (const std::string member = reader_.member_name(container, offset); !member.empty()) {
    return "." + member;
  }
  const auto type_at = reader_.type_address(container);
  if (type_at && reader_.type(*type_at).dictoffset == static_cast<std::int64_t>(offset)) {
    return ".__dict__";
  }
  if (type_at && offset == 2 * sizeof(Address) && reader_.is_instance(*type_at, "PyCell_Type")) {
    return ".cell_contents"; // PyCellObject.ob_ref (Include/cpython/cellobject.h)
  }
  if (const auto reference =
          cpython::frame_reference_in(reader_, container, {container + offset})) {
    return variable(*reference);
  }
  if (type_at) {
    const auto [known, fresh] = members_.try_emplace({*type_at, offset});
    if (fresh) {
      known->second = cpython::struct_member(reader_, image_, container, offset);
    }
    if (const auto& member = known->second) {
      return fmt::format(".{} of {}", member->member, member->structure);
    }
  }
  return fmt::format("+{:#x} of the container", offset);
}

std::string SlotNames::state_field(Address module, std::uint64_t offset) {
  const auto info = reader_.module(module);
  const auto member = info ? cpython::state_member(reader_, image_, *info, offset) : std::nullopt;
  return member ? fmt::format(".{} of the module's state ({})", member->member, member->structure)
                : fmt::format("+{:#x} of the module's state", offset);
}

std::string SlotNames::static_variable(const image::Module& module, SlotAddress slot) {
  const auto [known, fresh] = statics_.try_emplace(slot.at);
  if (!fresh) {
    return known->second;
  }
  if (const auto named = module.describe_static(slot.at)) {
    known->second = *named;
  } else if (const auto symbol = module.symbol_at(slot.at)) {
    const Address offset = slot.at - symbol->address;
    known->second = offset == 0 ? symbol->name : fmt::format("{}+{:#x}", symbol->name, offset);
  } else {
    const std::string& path = module.path();
    known->second =
        fmt::format("{}+{:#x}", path.substr(path.rfind('/') + 1), slot.at - module.extent().start);
  }
  return known->second;
}

std::string SlotNames::variable(const cpython::FrameReference& reference) {
  const cpython::FrameVariable variable = cpython::frame_variable(reader_, reference);
  const std::string name = variable.name.empty() ? fmt::format("number {}", reference.variable)
                                                 : "'" + variable.name + "'";
  const std::string function = variable.function.empty() ? "a function" : variable.function + "()";
  const std::string line = variable.line > 0 ? fmt::format(":{}", variable.line) : "";
  return variable.file.empty()
             ? name + " of " + function
             : fmt::format("{} of {} ({}{})", name, function, variable.file, line);
}

} // namespace pygc::analysis
