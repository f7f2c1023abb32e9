// The types of many objects, each named once.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pygc::analysis {

class TypeTable {
public:
  explicit TypeTable(cpython::ObjectReader& reader) : reader_(reader) {}

  /// The place of a type's name.
  std::uint32_t index(Address type) {
    if (names_.empty() || type != last_) { // many an object follows one of its type
      last_ = type;
      const auto [found, added] = indices_.emplace(type, static_cast<std::uint32_t>(names_.size()));
      if (added) {
        names_.push_back(reader_.type(type).name);
      }
      last_index_ = found->second;
    }
    return last_index_;
  }
  /// tp_name by index.
  const std::vector<std::string>& names() const { return names_; }
  std::vector<std::string> take() { return std::move(names_); }

private:
  cpython::ObjectReader& reader_;
  std::unordered_map<Address, std::uint32_t> indices_;
  std::vector<std::string> names_;
  Address last_ = 0;
  std::uint32_t last_index_ = 0;
};

} // namespace pygc::analysis
