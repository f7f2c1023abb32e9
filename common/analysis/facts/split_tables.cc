#include "common/analysis/facts/split_tables.h"

#include "common/analysis/facts/objects_of.h"

namespace pygc::analysis {
namespace {

constexpr std::uint8_t split_keys = 2; // DICT_KEYS_SPLIT (Include/internal/pycore_dict.h, 3.11+)

/// DictKeysKind of its keys; nothing where it is not known.
std::optional<std::uint8_t> kind_of_keys(const CheckInput& input, Address dict) {
  const cpython::Layout& layout = input.reader.runtime().layout;
  const auto keys = input.reader.memory().load<Address>(dict + layout.ma_keys);
  if (!keys || !layout.dk_kind) {
    return std::nullopt;
  }
  const auto kind = input.reader.memory().load<std::uint8_t>(*keys + *layout.dk_kind);
  return kind ? std::optional(*kind) : std::nullopt;
}

} // namespace

std::vector<BrokenSplitTable> find_broken_split_tables(const CheckInput& input) {
  const cpython::Runtime& runtime = input.reader.runtime();
  const image::AddressSpace& memory = input.reader.memory();
  std::vector<BrokenSplitTable> found;
  each_object_of(input, cpython::type_flag::dict_subclass,
                 [&](const heap::SpaceRange& space, heap::HeapIndex index) {
                   const Address object = input.heap.objects[index];
                   const auto values = memory.load<Address>(object + runtime.layout.ma_values);
                   if (!values || *values == 0) {
                     return;
                   }
                   const bool aligned = *values % sizeof(Address) == 0;
                   const auto first = memory.load<Address>(*values);
                   if (aligned && (first || first.error().kind != ErrorKind::memory_unmapped)) {
                     return;
                   }
                   if (const auto kind = kind_of_keys(input, object); kind != split_keys) {
                     found.push_back({.interpreter = runtime.interpreters[space.interpreter].id,
                                      .object = object,
                                      .values = *values,
                                      .unreadable = aligned,
                                      .kind_known = kind.has_value()});
                   }
                 });
  return found;
}

} // namespace pygc::analysis
