#include "common/analysis/facts/unfinished_tuples.h"

#include "common/analysis/facts/objects_of.h"
#include "common/cpython/objects/item_place.h"

namespace pygc::analysis {
namespace {

/// Nothing where there is none, as far as the items can be read.
std::optional<std::uint64_t> first_missing(const image::AddressSpace& memory,
                                           const cpython::TupleItems& items) {
  for (std::uint64_t i = 0; i < items.count; ++i) {
    const auto item = memory.load<Address>(items.first + i * sizeof(Address));
    if (!item) {
      return std::nullopt;
    }
    if (*item == 0) {
      return i;
    }
  }
  return std::nullopt;
}

} // namespace

std::vector<UnfinishedTuple> find_unfinished_tuples(const CheckInput& input) {
  const cpython::Runtime& runtime = input.reader.runtime();
  std::vector<UnfinishedTuple> found;
  each_object_of(input, cpython::type_flag::tuple_subclass,
                 [&](const heap::SpaceRange& space, heap::HeapIndex index) {
                   const std::uint64_t references = runtime.refcount(input.heap.refcounts[index]);
                   if (references == 0) {
                     return;
                   }
                   const Address object = input.heap.objects[index];
                   const auto items = cpython::tuple_items(input.reader, object);
                   const auto missing =
                       items ? first_missing(input.reader.memory(), *items) : std::nullopt;
                   if (missing) {
                     found.push_back({.interpreter = runtime.interpreters[space.interpreter].id,
                                      .object = object,
                                      .size = items->count,
                                      .first_missing = *missing,
                                      .handed_out = references > 1});
                   }
                 });
  return found;
}

} // namespace pygc::analysis
