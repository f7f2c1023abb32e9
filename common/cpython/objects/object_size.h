// How many bytes an object has, as sys.getsizeof() gives it.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pygc::cpython {

/// How sure a size is; the surest first.
enum class SizeBasis : std::uint8_t {
  exact,       // the arithmetic of object.__sizeof__, with the type's and the object's own numbers
  model,       // a built-in type's __sizeof__, as pygc knows it
  lower_bound, // the type has another __sizeof__, or memory is missing: the memory that is certain
};
/// "exact", "model", "lower bound".
std::string_view size_basis_name(SizeBasis basis);
inline SizeBasis weakest(SizeBasis a, SizeBasis b) {
  return a < b ? b : a;
}

struct ObjectSize {
  std::uint64_t bytes = 0;
  SizeBasis basis = SizeBasis::exact;

  /// A sum is as sure as the least sure of its parts.
  ObjectSize& operator+=(const ObjectSize& other) {
    bytes += other.bytes;
    basis = weakest(basis, other.basis);
    return *this;
  }
};

/// A run of an object's memory: itself with what lies before it, or what it has allocated.
struct MemoryPart {
  Address start = 0;
  std::uint64_t bytes = 0; // that the object makes use of
  bool inner = false;      // it may lie within what was allocated
};

struct MemoryParts {
  MemoryPart own;
  std::optional<MemoryPart> body;
  bool complete = true; // false: the object may have more, of which nothing is known
};

/// Mirrors _PySys_GetSizeOf (Python/sysmodule.c), object.__sizeof__ (Objects/typeobject.c) and
/// those of int, str, list, dict, set, deque, generators, frames and type. The facts of a type are
/// read once.
class ObjectSizes {
public:
  explicit ObjectSizes(ObjectReader& reader);

  /// As sys.getsizeof() gives it: the GC head and the words before it included. `type`: ob_type.
  ObjectSize size(Address object, Address type);
  /// The same without what the object has allocated elsewhere.
  ObjectSize own_size(Address object, Address type);
  /// Where the bytes of size() lie.
  MemoryParts parts(Address object, Address type);

private:
  enum class Body : std::uint8_t {
    none,
    list,
    dict,
    set,
    deque,
    integer,
    text,
    frame,
    type,
    unknown
  };
  struct TypeFacts {
    std::uint64_t fixed = 0;    // what every instance has
    std::uint64_t before = 0;   // of it, what lies before the object
    std::uint64_t itemsize = 0; // of what ob_size counts; 0: it counts nothing of the object's
    bool known = false;         // the numbers above could be read
    Body body = Body::unknown;
  };

  const TypeFacts& facts(Address type);
  TypeFacts read_facts(Address type);
  Body body(Address type);
  bool has_own_sizeof(Address type);
  Result<std::uint64_t> dict_body(Address dict) const;
  Result<std::uint64_t> keys_size(Address keys) const;
  Result<std::uint64_t> body_size(Body body, Address object) const;
  Result<MemoryPart> body_part(Body body, Address object) const;
  std::uint64_t type_size(Address type) const;
  ObjectSize int_size(Address object, const TypeFacts& known);

  ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const Layout& layout_;
  std::unordered_map<Address, TypeFacts> facts_;
  const TypeFacts* last_ = nullptr; // of last_type_
  Address last_type_ = 0;
  std::unordered_map<Address, bool> own_sizeof_;
};

} // namespace pygc::cpython
