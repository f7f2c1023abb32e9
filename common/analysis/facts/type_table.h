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
    const auto [found, added] = indices_.emplace(type, static_cast<std::uint32_t>(names_.size()));
    if (added) {
      names_.push_back(reader_.type(type).name);
    }
    return found->second;
  }
  /// tp_name by index.
  const std::vector<std::string>& names() const { return names_; }
  std::vector<std::string> take() { return std::move(names_); }

private:
  cpython::ObjectReader& reader_;
  std::unordered_map<Address, std::uint32_t> indices_;
  std::vector<std::string> names_;
};

} // namespace pygc::analysis
