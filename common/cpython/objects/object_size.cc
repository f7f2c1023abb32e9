#include "common/cpython/objects/object_size.h"

#include "common/cpython/objects/attributes.h"
#include "common/cpython/objects/built_in_sizes.h"
#include "common/cpython/objects/int_value.h"

#include <algorithm>
#include <array>

namespace pygc::cpython {
namespace {

constexpr Address word = sizeof(Address);
// PyTypeObject: tp_methods lies before tp_members.
constexpr Address methods_before_members = word;
constexpr Address cached_keys_behind_qualname = word; // PyHeapTypeObject
constexpr Address item_behind_size = word;            // PyListObject: ob_size, ob_item, allocated
constexpr Address allocated_behind_size = 2 * word;
// PySetObject behind its PyObject: fill, used, mask, table, hash, finger, smalltable.
constexpr Address set_mask = 2 * word;
constexpr Address set_table = 3 * word;
constexpr Address set_smalltable = 6 * word;
constexpr std::uint64_t set_entry_size = 2 * word;
// dequeobject: leftblock, rightblock, leftindex behind the PyVarObject.
constexpr Address deque_left_index = 3 * word;
constexpr std::uint64_t deque_block_items = 64;
constexpr std::uint64_t deque_block_size = (deque_block_items + 2) * word;
constexpr Address usable_before_nentries = word; // PyDictKeysObject: dk_usable, dk_nentries

// Bit of tp_flags: words before the GC head (Py_TPFLAGS_MANAGED_WEAKREF, 3.12+; _MANAGED_DICT,
// 3.11+).
constexpr unsigned managed_weakref = 3;

constexpr std::uint64_t digit_size = 4; // of an int
constexpr std::int64_t size_limit = std::int64_t{1} << 40;
constexpr std::int64_t itemsize_limit = 1 << 20;
constexpr unsigned log2_limit = 40;
constexpr std::size_t method_limit = 4096;
constexpr std::size_t method_definition_size = 4 * word; // PyMethodDef
constexpr std::string_view method = "__sizeof__";

std::unexpected<Error> damaged(Address at) {
  return fail(ErrorKind::corrupt, at, "no size that can be");
}

/// USABLE_FRACTION (Objects/dictobject.c, 3.8+).
std::uint64_t usable_fraction(std::uint64_t slots) {
  return (slots << 1) / 3;
}

} // namespace

std::string_view size_basis_name(SizeBasis basis) {
  switch (basis) {
  case SizeBasis::exact:
    return "exact";
  case SizeBasis::model:
    return "model";
  case SizeBasis::lower_bound:
    break;
  }
  return "lower bound";
}

ObjectSizes::ObjectSizes(ObjectReader& reader)
    : reader_(reader), memory_(reader.memory()), layout_(reader.runtime().layout) {}

/// Whether the type itself, not a base of it, defines __sizeof__: C types in tp_methods, classes of
/// Python code in tp_dict.
bool ObjectSizes::has_own_sizeof(Address type) {
  const auto [at, added] = own_sizeof_.try_emplace(type, false);
  if (!added) {
    return at->second;
  }
  const auto methods = memory_.load<Address>(type + layout_.tp_members - methods_before_members);
  for (std::size_t i = 0; methods && *methods != 0 && i < method_limit; ++i) {
    const auto name = memory_.load<Address>(*methods + i * method_definition_size);
    if (!name || *name == 0) {
      break;
    }
    const auto text = memory_.load_string(*name, method.size() + 1);
    if (text && *text == method) {
      return at->second = true;
    }
  }
  if (reader_.type(type).has_flag(type_flag::heap_type)) {
    const auto dict = type_dict(reader_, type);
    if (dict && *dict != 0) {
      const auto found = reader_.item(*dict, method);
      at->second = found && *found != 0;
    }
  }
  return at->second;
}

ObjectSizes::Body ObjectSizes::body(Address type) {
  const TupleItems bases = type_mro(reader_, type).value_or(TupleItems{});
  // Up to 3.10 a frame is an object that counts its items.
  const Body with_frame = layout_.frame_localsplus ? Body::frame : Body::unknown;
  const std::array<std::pair<Address, Body>, 12> known = {
      {{reader_.exported("PyBaseObject_Type"), Body::none},
       {reader_.exported("PyList_Type"), Body::list},
       {reader_.exported("PyDict_Type"), Body::dict},
       {reader_.exported("PySet_Type"), Body::set},
       {reader_.exported("PyFrozenSet_Type"), Body::set},
       {reader_.exported("PyLong_Type"), Body::integer},
       {reader_.exported("PyUnicode_Type"), Body::text},
       {reader_.exported("PyGen_Type"), with_frame},
       {reader_.exported("PyCoro_Type"), with_frame},
       {reader_.exported("PyAsyncGen_Type"), with_frame},
       {reader_.exported("PyFrame_Type"), with_frame},
       {reader_.exported("PyType_Type"), Body::type}}};
  for (std::uint64_t i = 0; i < bases.count; ++i) {
    const auto base = memory_.load<Address>(bases.first + i * word);
    if (!base || *base == 0) {
      return Body::unknown;
    }
    const auto found = std::ranges::find(known, *base, [](const auto& each) { return each.first; });
    if (found != known.end()) {
      return found->second;
    }
    if (has_own_sizeof(*base)) {
      // The type of an extension module, which no symbol names.
      const bool deque =
          reader_.type(*base).name == "collections.deque" && reader_.type(*base).traverse != 0;
      return deque ? Body::deque : Body::unknown;
    }
  }
  return Body::unknown;
}

ObjectSizes::TypeFacts ObjectSizes::read_facts(Address type) {
  TypeFacts facts;
  const TypeInfo& info = reader_.type(type);
  const auto itemsize = memory_.load<std::int64_t>(type + layout_.tp_itemsize);
  if (info.name.empty() || !itemsize || info.basicsize < 0 || info.basicsize > size_limit ||
      *itemsize < 0 || *itemsize > itemsize_limit) {
    return facts;
  }
  facts.known = true;
  if (info.has_flag(type_flag::have_gc)) {
    facts.before += layout_.gc_head_size;
  }
  if (info.has_flag(type_flag::managed_dict) || info.has_flag(managed_weakref)) {
    facts.before += 2 * word;
  }
  facts.fixed = facts.before + static_cast<std::uint64_t>(info.basicsize);
  facts.body = body(type);
  // Since 3.12 an int has no ob_size, and what a frame ends has none.
  if (!info.has_flag(long_subclass) && facts.body != Body::frame) {
    facts.itemsize = static_cast<std::uint64_t>(*itemsize);
  }
  return facts;
}

const ObjectSizes::TypeFacts& ObjectSizes::facts(Address type) {
  if (type == last_type_) {
    return *last_;
  }
  auto found = facts_.find(type);
  if (found == facts_.end()) {
    found = facts_.emplace(type, read_facts(type)).first;
  }
  last_type_ = type;
  last_ = &found->second;
  return found->second;
}

ObjectSize ObjectSizes::own_size(Address object, Address type) {
  const TypeFacts& known = facts(type);
  ObjectSize size{.bytes = known.fixed,
                  .basis = known.known ? SizeBasis::exact : SizeBasis::lower_bound};
  if (known.body == Body::frame) {
    const auto frame = bytes_of_frame(reader_, object, type);
    return {.bytes = known.fixed + frame.value_or(0),
            .basis = frame ? SizeBasis::model : SizeBasis::lower_bound};
  }
  if (known.itemsize != 0) {
    const auto items = memory_.load<std::int64_t>(object + layout_.ob_size);
    if (!items || *items < 0 || *items > size_limit / static_cast<std::int64_t>(known.itemsize)) {
      size.basis = SizeBasis::lower_bound;
    } else {
      size.bytes += static_cast<std::uint64_t>(*items) * known.itemsize;
    }
  }
  return size;
}

/// sizeof(PyTypeObject), or of a heap type's object and the keys that its instances share.
std::uint64_t ObjectSizes::type_size(Address type) const {
  const auto flags = memory_.load<std::uint64_t>(type + layout_.tp_flags);
  if (!flags || (*flags >> type_flag::heap_type & 1) == 0 || !layout_.heap_type_size) {
    return layout_.type_size;
  }
  std::uint64_t size = *layout_.heap_type_size;
  if (layout_.ht_qualname) {
    const auto keys =
        memory_.load<Address>(type + *layout_.ht_qualname + cached_keys_behind_qualname);
    if (keys && *keys != 0) {
      size += keys_size(*keys).value_or(0);
    }
  }
  return size;
}

/// _PyDict_KeysSize.
Result<std::uint64_t> ObjectSizes::keys_size(Address keys) const {
  std::uint64_t slots = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t entry = 3 * word; // PyDictKeyEntry
  if (layout_.dk_log2_size && layout_.dk_log2_index_bytes) {
    const auto log2 = memory_.load<std::uint8_t>(keys + *layout_.dk_log2_size);
    const auto log2_bytes = memory_.load<std::uint8_t>(keys + *layout_.dk_log2_index_bytes);
    if (!log2 || !log2_bytes || *log2 > log2_limit || *log2_bytes > log2_limit) {
      return damaged(keys);
    }
    slots = std::uint64_t{1} << *log2;
    index_bytes = std::uint64_t{1} << *log2_bytes;
    if (layout_.dk_kind) {
      const auto kind = memory_.load<std::uint8_t>(keys + *layout_.dk_kind);
      if (kind && *kind != 0) {
        entry = 2 * word; // PyDictUnicodeEntry
      }
    }
  } else if (layout_.dk_size) {
    const auto size = memory_.load<std::int64_t>(keys + *layout_.dk_size);
    if (!size || *size <= 0 || *size > size_limit) {
      return damaged(keys);
    }
    slots = static_cast<std::uint64_t>(*size);
    index_bytes = slots * (slots <= 0xff ? 1 : slots <= 0xffff ? 2 : slots <= 0xffffffff ? 4 : 8);
  } else {
    return damaged(keys);
  }
  return layout_.dk_indices + index_bytes + usable_fraction(slots) * entry;
}

/// _PyDict_SizeOf, but for the PyDictObject itself.
Result<std::uint64_t> ObjectSizes::dict_body(Address dict) const {
  const auto keys = memory_.load<Address>(dict + layout_.ma_keys);
  const auto values = memory_.load<Address>(dict + layout_.ma_values);
  const auto refcount = keys ? memory_.load<std::int64_t>(*keys) : Result<std::int64_t>(0);
  if (!keys || !values || !refcount) {
    return damaged(dict);
  }
  std::uint64_t size = 0;
  if (*values != 0) {
    const auto counts = memory_.load<std::array<std::int64_t, 2>>(*keys + layout_.dk_nentries -
                                                                  usable_before_nentries);
    if (!counts || (*counts)[0] < 0 || (*counts)[1] < 0 || (*counts)[0] > size_limit / 16 ||
        (*counts)[1] > size_limit / 16) {
      return damaged(*keys);
    }
    size += static_cast<std::uint64_t>((*counts)[0] + (*counts)[1]) * word;
  }
  if (*refcount == 1) { // else they are shared: the type's
    const auto own = keys_size(*keys);
    if (!own) {
      return own;
    }
    size += *own;
  }
  return size;
}

Result<std::uint64_t> ObjectSizes::body_size(Body body, Address object) const {
  switch (body) {
  case Body::list: {
    const auto allocated =
        memory_.load<std::int64_t>(object + layout_.ob_size + allocated_behind_size);
    if (!allocated || *allocated > size_limit / 8) {
      return damaged(object);
    }
    // While list.sort() runs it is -1.
    return static_cast<std::uint64_t>(std::max<std::int64_t>(*allocated, 0)) * word;
  }
  case Body::dict:
    return dict_body(object);
  case Body::set: {
    const Address head = object + layout_.ob_size; // sizeof(PyObject)
    const auto mask = memory_.load<std::int64_t>(head + set_mask);
    const auto table = memory_.load<Address>(head + set_table);
    if (!mask || !table || *mask < 0 || *mask > size_limit / 16) {
      return damaged(object);
    }
    return *table == head + set_smalltable
               ? 0
               : (static_cast<std::uint64_t>(*mask) + 1) * set_entry_size;
  }
  case Body::deque: {
    const auto items = memory_.load<std::int64_t>(object + layout_.ob_size);
    const auto left = memory_.load<std::int64_t>(object + layout_.ob_size + deque_left_index);
    if (!items || !left || *items < 0 || *left < 0 || *items > size_limit / 16 ||
        *left > static_cast<std::int64_t>(deque_block_items)) {
      return damaged(object);
    }
    return (static_cast<std::uint64_t>(*left + *items) + deque_block_items - 1) /
           deque_block_items * deque_block_size;
  }
  case Body::none:
  case Body::integer:
  case Body::text:
  case Body::frame:
  case Body::type:
  case Body::unknown:
    break;
  }
  return 0;
}

/// Where the body lies; nothing of one without memory of its own (start 0).
Result<MemoryPart> ObjectSizes::body_part(Body body, Address object) const {
  const auto bytes = body_size(body, object);
  if (!bytes || *bytes == 0) {
    return bytes ? Result<MemoryPart>(MemoryPart{}) : std::unexpected(bytes.error());
  }
  const auto at = [&](Address field, bool inner) -> Result<MemoryPart> {
    const auto start = memory_.load<Address>(field);
    return start ? Result<MemoryPart>({.start = *start, .bytes = *bytes, .inner = inner})
                 : std::unexpected(start.error());
  };
  switch (body) {
  case Body::list: // without a GIL its capacity lies before the items
    return at(object + layout_.ob_size + item_behind_size, layout_.free_threaded.has_value());
  case Body::set:
    return at(object + layout_.ob_size + set_table, false);
  case Body::dict: {
    const auto values = memory_.load<Address>(object + layout_.ma_values);
    return values && *values == 0
               ? at(object + layout_.ma_keys, false)
               : fail(ErrorKind::unsupported, object, "its values lie with another object");
  }
  default:
    break;
  }
  return fail(ErrorKind::unsupported, object, "in several blocks");
}

MemoryParts ObjectSizes::parts(Address object, Address type) {
  const TypeFacts& known = facts(type);
  if (known.body == Body::text) {
    if (const auto parts = str_parts(memory_, layout_, object)) {
      return *parts;
    }
  }
  const ObjectSize own =
      known.body == Body::integer ? int_size(object, known) : own_size(object, type);
  MemoryParts parts{.own = {.start = object - known.before, .bytes = own.bytes},
                    .body = {},
                    .complete = known.body != Body::unknown && known.body != Body::text &&
                                known.body != Body::type};
  if (known.body == Body::list || known.body == Body::set || known.body == Body::dict ||
      known.body == Body::deque) {
    const auto body = body_part(known.body, object);
    parts.complete = body.has_value();
    if (body && body->start != 0) {
      parts.body = *body;
    }
  }
  return parts;
}

/// int.__sizeof__ (Objects/longobject.c): the digits alone, whatever a subclass adds.
ObjectSize ObjectSizes::int_size(Address object, const TypeFacts& known) {
  const auto digits = digit_count(reader_, object);
  if (!digits) {
    return {.bytes = known.fixed, .basis = SizeBasis::lower_bound};
  }
  return {.bytes = known.before + layout_.ob_size + word + *digits * digit_size,
          // For a 0 some versions without tags count the digit that it has all the same.
          .basis = *digits == 0 ? SizeBasis::lower_bound : SizeBasis::model};
}

ObjectSize ObjectSizes::size(Address object, Address type) {
  const TypeFacts& of_type = facts(type);
  const Body known = of_type.body;
  if (known == Body::integer) {
    return int_size(object, of_type);
  }
  if (known == Body::type) { // its items are its members, of which type.__sizeof__ says nothing
    return {.bytes = layout_.gc_head_size + type_size(object), .basis = SizeBasis::model};
  }
  if (known == Body::text) {
    if (const auto parts = str_parts(memory_, layout_, object)) {
      return {.bytes = parts->own.bytes + (parts->body ? parts->body->bytes : 0),
              .basis = parts->complete ? SizeBasis::model : SizeBasis::lower_bound};
    }
  }
  ObjectSize size = own_size(object, type);
  if (known == Body::unknown || known == Body::text) {
    size.basis = SizeBasis::lower_bound;
  } else if (known != Body::none) {
    const auto body = body_size(known, object);
    size.bytes += body.value_or(0);
    size.basis = weakest(size.basis, body ? SizeBasis::model : SizeBasis::lower_bound);
  }
  return size;
}

} // namespace pygc::cpython
