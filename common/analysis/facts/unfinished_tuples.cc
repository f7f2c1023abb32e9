#include "common/analysis/facts/unfinished_tuples.h"

#include "common/cpython/objects/item_place.h"
#include "common/cpython/type_flag.h"

namespace pygc::analysis {
namespace {

/// Nothing for a tuple without a NULL, or that cannot be read.
std::optional<std::uint64_t> first_missing(cpython::ObjectReader& reader, Address tuple) {
  for (std::uint64_t i = 0;; ++i) {
    const auto item = cpython::tuple_item(reader, tuple, i);
    if (!item) {
      return std::nullopt;
    }
    if (*item == 0) {
      return i;
    }
  }
}

} // namespace

std::vector<UnfinishedTuple> find_unfinished_tuples(const CheckInput& input) {
  const cpython::Runtime& runtime = input.reader.runtime();
  std::vector<UnfinishedTuple> found;
  Address last_type = 0;
  bool is_tuple = false;
  for (const heap::SpaceRange& space : input.heap.spaces) {
    for (std::size_t i = space.first; i < space.first + space.count; ++i) {
      const heap::HeapIndex index(i);
      if (const Address type = input.heap.types[index]; type != last_type) {
        last_type = type;
        is_tuple = input.heap.usable[index] &&
                   input.reader.type(type).has_flag(cpython::type_flag::tuple_subclass);
      }
      if (!is_tuple || runtime.refcount(input.heap.refcounts[index]) < 2) {
        continue;
      }
      const Address object = input.heap.objects[index];
      if (const auto missing = first_missing(input.reader, object)) {
        const auto size =
            input.reader.memory().load<std::uint64_t>(object + runtime.layout.ob_size);
        found.push_back({.interpreter = runtime.interpreters[space.interpreter].id,
                         .object = object,
                         .size = size.value_or(0),
                         .first_missing = *missing});
      }
    }
  }
  return found;
}

} // namespace pygc::analysis
