// Names objects the way people know them, from memory alone, never by running a repr.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <span>
#include <string>
#include <unordered_map>

namespace pygc::cpython {

/// "<_io.TextIOWrapper name='<stderr>'>", "module 'faulthandler'", "dict of module 'sys'".
class ObjectNames {
public:
  explicit ObjectNames(ObjectReader& reader) : reader_(reader) {}

  /// Looks through `objects` for the owners of these dictionaries, so that they can be named.
  void find_dict_owners(std::span<const Address> objects, std::span<const Address> dicts);

  /// The type's name; a heap type's with its module, as repr() of the type shows it.
  std::string type_name(Address object);
  /// The same of the type itself.
  std::string class_name(Address type);
  /// The name an object itself carries (module, function, type, file), empty when it has none.
  std::string own_name(Address object);
  /// One short phrase that tells what the object is.
  std::string summary(Address object);
  /// For a dict: the object whose dictionary it is, 0 when unknown.
  Address dict_owner(Address dict) const;

private:
  std::string file_name(Address object);
  /// What an object of _io wraps: its member "buffer" or "raw"; where that is a property (3.14 and
  /// later), its first field that holds an object of _io. 0: nothing.
  Address inner_file(Address object);

  ObjectReader& reader_;
  std::unordered_map<Address, Address> owners_;
};

} // namespace pygc::cpython
