#include "common/analysis/explore/holders.h"

namespace pygc::analysis {
namespace {

constexpr std::uint64_t alignment = 16;   // of pymalloc and malloc
constexpr std::uint64_t field_end = 1024; // how far behind its begin an object's fields may lie
constexpr std::uint64_t refcount_limit = std::uint64_t{1} << 31;

} // namespace

HolderSearch::HolderSearch(cpython::ObjectReader& reader, const heap::Heap& heap)
    : reader_(reader) {
  for (const Address type : heap.types.distinct()) {
    const auto metatype = reader.type_address(type);
    if (metatype && reader.type(*metatype).has_flag(cpython::type_flag::type_subclass)) {
      metatypes_.insert(*metatype);
    }
  }
}

std::optional<Holder> HolderSearch::object_at(Address object, std::uint64_t offset) {
  const cpython::Runtime& runtime = reader_.runtime();
  const auto type = reader_.memory().load<Address>(object + runtime.layout.ob_type);
  if (!type || *type == 0 || *type % sizeof(Address) != 0) {
    return std::nullopt;
  }
  const auto metatype = reader_.type_address(*type);
  if (!metatype || !metatypes_.contains(*metatype)) {
    return std::nullopt;
  }
  const cpython::TypeInfo& info = reader_.type(*type);
  // One without a name cannot be read.
  if (info.name.empty() || info.has_flag(cpython::type_flag::have_gc) ||
      info.basicsize < static_cast<std::int64_t>(offset + sizeof(Address))) {
    return std::nullopt;
  }
  const auto stored = cpython::load_refcount(reader_.memory(), runtime.layout, object);
  if (!stored || runtime.is_immortal(*stored)) {
    return std::nullopt;
  }
  const std::uint64_t refcount = runtime.refcount(*stored);
  if (refcount == 0 || refcount >= refcount_limit) {
    return std::nullopt;
  }
  return Holder{.object = object, .type = *type, .refcount = refcount, .offset = offset};
}

std::optional<Holder> HolderSearch::holder_of(Address word) {
  // The nearest header before the word is that of the object that it lies in.
  const std::uint64_t head = reader_.runtime().layout.ob_size; // sizeof(PyObject)
  for (Address object = word - word % alignment; word - object < field_end && object >= alignment;
       object -= alignment) {
    if (word - object < head) {
      continue;
    }
    if (const auto holder = object_at(object, word - object)) {
      return holder;
    }
  }
  return std::nullopt;
}

} // namespace pygc::analysis
