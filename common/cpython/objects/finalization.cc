#include "common/cpython/objects/finalization.h"

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);
// PyTypeObject: tp_traverse, tp_clear, tp_richcompare, tp_weaklistoffset.
constexpr Address clear_behind_traverse = 1 * word;
constexpr Address weaklistoffset_behind_traverse = 3 * word;
// tp_is_gc, tp_bases, tp_mro, tp_cache, tp_subclasses, tp_weaklist, tp_del, tp_version_tag,
// tp_finalize.
constexpr Address del_behind_is_gc = 6 * word;
constexpr Address finalize_behind_is_gc = 8 * word;
// PyWeakReference behind its PyObject: wr_object, wr_callback, hash, wr_prev, wr_next.
constexpr Address wr_callback = 1 * word;
constexpr Address wr_next = 4 * word;
constexpr int weakref_limit = 1 << 20; // a list may be a ring

} // namespace

Result<TypeFinalization> type_finalization(const ObjectReader& reader, Address type) {
  const Layout& layout = reader.runtime().layout;
  const auto finalize =
      reader.memory().load<Address>(type + layout.tp_is_gc + finalize_behind_is_gc);
  const auto legacy = reader.memory().load<Address>(type + layout.tp_is_gc + del_behind_is_gc);
  const auto offset = reader.memory().load<std::int64_t>(type + layout.tp_traverse +
                                                         weaklistoffset_behind_traverse);
  const auto clear =
      reader.memory().load<Address>(type + layout.tp_traverse + clear_behind_traverse);
  for (const auto* field : {&finalize, &legacy, &clear}) {
    if (!*field) {
      return std::unexpected(field->error());
    }
  }
  if (!offset) {
    return std::unexpected(offset.error());
  }
  return TypeFinalization{
      .finalize = *finalize, .clear = *clear, .legacy = *legacy, .weaklistoffset = *offset};
}

std::vector<Address> weakrefs_with_callback(const ObjectReader& reader, Address object,
                                            std::int64_t weaklistoffset) {
  std::vector<Address> found;
  if (weaklistoffset == 0) {
    return found;
  }
  const Address head = reader.runtime().layout.ob_size; // sizeof(PyObject)
  auto next = reader.memory().load<Address>(object + static_cast<Address>(weaklistoffset));
  for (int i = 0; i < weakref_limit && next && *next != 0; ++i) {
    const auto callback = reader.memory().load<Address>(*next + head + wr_callback);
    if (callback && *callback != 0) {
      found.push_back(*next);
    }
    next = reader.memory().load<Address>(*next + head + wr_next);
  }
  return found;
}

} // namespace pygc::cpython
