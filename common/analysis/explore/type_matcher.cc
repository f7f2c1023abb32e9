#include "common/analysis/explore/type_matcher.h"

#include "common/analysis/explore/filter.h"
#include "common/cpython/objects/type_module.h"

#include <algorithm>

namespace pygc::analysis {

bool TypeNames::match(const std::string& pattern) const {
  return std::ranges::any_of(
      names, [&](const std::string& name) { return matches_pattern(pattern, name); });
}

TypeNames names_of_type(cpython::ObjectReader& reader, Address type) {
  cpython::ObjectNames names(reader);
  const std::string& name = reader.type(type).name;
  return {.module = cpython::type_module(reader, type),
          .names = {name, name.substr(name.rfind('.') + 1), names.class_name(type),
                    cpython::full_name_of_type(reader, names, type)}};
}

bool TypeMatcher::operator()(Address type) {
  const auto [known, added] = known_.try_emplace(type, false);
  if (added) {
    const TypeNames names = names_of_type(reader_, type);
    known->second = std::ranges::any_of(
        patterns_, [&](const std::string& pattern) { return names.match(pattern); });
  }
  return known->second;
}

} // namespace pygc::analysis
