#include "common/analysis/facts/ownership.h"

#include "common/cpython/objects/int_value.h"

#include <algorithm>

namespace pygc::analysis {
namespace {

constexpr std::uint64_t pre_header = 64; // GC head, managed dict and weak reference words
constexpr std::int64_t item_limit = std::int64_t{1} << 40;

} // namespace

Result<std::int64_t> Ownership::item_count(Address object, const cpython::TypeInfo& type) {
  if (type.has_flag(cpython::long_subclass)) {
    return static_cast<std::int64_t>(cpython::digit_count(reader_, object).value_or(0));
  }
  return reader_.memory().load<std::int64_t>(object + reader_.runtime().layout.ob_size);
}

std::uint64_t Ownership::object_size(Address object) {
  const cpython::Layout& layout = reader_.runtime().layout;
  const auto type_at = reader_.type_address(object);
  if (!type_at) {
    return 0;
  }
  const cpython::TypeInfo& type = reader_.type(*type_at);
  auto size = static_cast<std::uint64_t>(std::clamp<std::int64_t>(type.basicsize, 0, item_limit));
  const auto itemsize = reader_.memory().load<std::int64_t>(*type_at + layout.tp_itemsize);
  if (itemsize && *itemsize > 0 && *itemsize < 4096) {
    const auto count = item_count(object, type);
    if (count && *count > 0 && *count < item_limit / 4096) {
      size += static_cast<std::uint64_t>(*count * *itemsize);
    }
  }
  return size;
}

Ownership::Ownership(const image::ProcessImage& image, cpython::ObjectReader& reader)
    : reader_(reader) {
  for (const auto& module : image.modules()) {
    for (const image::Range& range : module->static_storage()) {
      statics_.push_back({range, module.get()});
    }
  }
  std::ranges::sort(statics_, {}, [](const StaticRange& each) { return each.range.start; });
}

const image::Module* Ownership::static_image(SlotAddress slot) const {
  const auto after = std::ranges::upper_bound(
      statics_, slot.at, {}, [](const StaticRange& each) { return each.range.start; });
  return after != statics_.begin() && (after - 1)->range.contains(slot.at) ? (after - 1)->module
                                                                           : nullptr;
}

Ownership::Extent Ownership::extent(Address container) {
  Extent extent;
  extent.object = {container - std::min<Address>(container, pre_header),
                   container + object_size(container)};
  if (reader_.is_module(container)) {
    const auto module = reader_.module(container);
    if (module && module->state != 0 && module->state_size > 0) {
      extent.state = {module->state,
                      module->state + static_cast<std::uint64_t>(module->state_size)};
    }
  }
  return extent;
}

Owner Ownership::owner(const Extent& extent, SlotAddress slot) const {
  if (!slot.is_known()) {
    return Owner::unknown;
  }
  if (extent.object.contains(slot.at)) {
    return Owner::object;
  }
  if (extent.state.contains(slot.at)) {
    return Owner::module_state;
  }
  const cpython::Runtime& runtime = reader_.runtime();
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    if (slot.at >= interpreter.address &&
        slot.at - interpreter.address < runtime.layout.interp_size) {
      return Owner::interpreter;
    }
  }
  if (slot.at >= runtime.address && slot.at - runtime.address < runtime.layout.runtime_size) {
    return Owner::runtime;
  }
  if (static_image(slot) != nullptr) {
    return Owner::static_storage;
  }
  // Dynamic memory: what a module reaches of it, it reaches from its state.
  return extent.state.end != 0 ? Owner::module_state : Owner::object;
}

} // namespace pygc::analysis
