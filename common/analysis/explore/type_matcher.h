// The one rule by which commands take the name of a type.
#pragma once

#include "common/cpython/objects/object_names.h"
#include "common/cpython/objects/object_reader.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

namespace pygc::analysis {

/// What a type may be called.
struct TypeNames {
  std::string module; // as type.__module__ gives it
  // tp_name, what of it stands behind the module, the qualified name, that with its module.
  std::array<std::string, 4> names;

  /// Whether one of the names is as the pattern (of the shell) wants it.
  bool match(const std::string& pattern) const;
};

TypeNames names_of_type(cpython::ObjectReader& reader, Address type);

/// Asks each type once whether one of some patterns is a name of it.
class TypeMatcher {
public:
  TypeMatcher(cpython::ObjectReader& reader, std::vector<std::string> patterns)
      : reader_(reader), patterns_(std::move(patterns)) {}

  bool operator()(Address type);

private:
  cpython::ObjectReader& reader_;
  std::vector<std::string> patterns_;
  std::unordered_map<Address, bool> known_;
};

} // namespace pygc::analysis
