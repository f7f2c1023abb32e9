// Reads Python objects from the target's memory: types, text, dictionaries, modules. Nothing of the
// target runs.
#pragma once

#include "common/base/error.h"
#include "common/base/slot_address.h"
#include "common/cpython/runtime.h"
#include "common/cpython/type_flag.h"
#include "common/image/address_space.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pygc::cpython {

/// What matters of a PyTypeObject.
struct TypeInfo {
  Address address = 0;
  std::string name;        // tp_name, as CPython spells it
  std::uint64_t flags = 0; // tp_flags
  Address traverse = 0;
  Address is_gc = 0;
  Address base = 0;
  std::int64_t dictoffset = 0;
  std::int64_t basicsize = 0;
  std::string problem;         // one sentence when this is no usable type; empty otherwise
  bool memory_missing = false; // the problem is that the core lacks the memory

  bool has_flag(unsigned bit) const { return (flags >> bit & 1) != 0; }
};

/// What matters of a PyModuleObject and its PyModuleDef.
struct ModuleInfo {
  Address address = 0;
  std::string name; // md_name
  Address dict = 0; // md_dict
  Address definition =
      0;             // md_def, or the token of a 3.15 module that has one; 0 for Python modules
  Address state = 0; // md_state
  std::int64_t state_size = 0; // m_size
  bool multi_phase = false;    // initialised by slots (m_slots), else by one function
  Address traverse = 0;        // m_traverse

  /// module_traverse (Objects/moduleobject.c) calls m_traverse only then.
  bool traverses() const { return traverse != 0 && (state_size <= 0 || state != 0); }
  /// Single-phase and without a state of its own: a second instance cannot be made, so that it may
  /// visit its global variables as long as it lives.
  bool is_single_with_globals() const { return state_size < 0 && !multi_phase; }
};

/// Of a dict: neither key nor value is 0.
struct DictEntry {
  SlotAddress key_at;
  SlotAddress value_at;
  Address key = 0;
  Address value = 0;
};

class ObjectReader {
public:
  ObjectReader(const image::ProcessImage& image, const Runtime& runtime);

  const Runtime& runtime() const { return runtime_; }
  const image::AddressSpace& memory() const { return memory_; }

  /// The type at an address, read once. A type that cannot be has `problem` set.
  const TypeInfo& type(Address address);
  /// ob_type of an object. Errors: memory_*.
  Result<Address> type_address(Address object) const;

  /// Of an object with a GC head: whether that says it is on a list of the collector
  /// (_PyObject_GC_IS_TRACKED, Include/internal/pycore_gc.h). Errors: memory_*.
  Result<bool> is_tracked(Address object) const;

  /// The text of a str object, UTF-8. Errors: corrupt, memory_*.
  Result<std::string> text(Address str, std::size_t limit = 256) const;

  /// Calls `each(key, value)` for the entries of a dict until it returns false.
  /// Errors: corrupt, memory_*.
  Result<void> each_item(Address dict,
                         const std::function<bool(Address key, Address value)>& each) const;
  /// The same with where the two lie.
  Result<void> each_entry(Address dict, const std::function<bool(const DictEntry&)>& each) const;
  /// The value of a string key; 0 when there is none.
  Result<Address> item(Address dict, std::string_view key) const;

  /// The instance dictionary of an object, 0 when it has none (or none yet).
  Result<Address> instance_dict(Address object);
  /// A field that the type publishes as a member (tp_members), e.g. "raw" of _io.BufferedWriter.
  Result<Address> member(Address object, std::string_view name);
  /// The name of the published member that is at an offset of the object, 0 < offset; empty when
  /// there is none. Attributes of __slots__ are such members.
  std::string member_name(Address object, std::uint64_t offset);

  /// True when the type or one of its bases is the one that the symbol names ("PyModule_Type").
  bool is_instance(Address type, std::string_view symbol);
  /// True when its own type is one whose instances are types: `type`, or derived from it.
  bool is_type(Address object);
  bool is_module(Address object);
  Result<ModuleInfo> module(Address object);
  /// The address of a symbol of the interpreter, looked up once; 0 when there is none.
  Address exported(std::string_view symbol);

private:
  TypeInfo read_type(Address address) const;
  /// Calls `each` for the published members of the object's type and its bases that are pointers to
  /// objects, until it returns false. Errors: memory_*.
  struct Member {
    Address name = 0;
    std::uint64_t offset = 0;
  };
  Result<void> each_member(Address object, const std::function<bool(const Member&)>& each);

  const image::ProcessImage& image_;
  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  std::unordered_map<Address, TypeInfo> types_;
  std::unordered_map<std::string, Address> exported_;
};

} // namespace pygc::cpython
