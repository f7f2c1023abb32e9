// The numbers of the objects that a list shows, by which the next command may name them: $1, $2.
#pragma once

#include "common/base/error.h"

#include <cstddef>
#include <string>
#include <vector>

namespace pygc::report {

class Numbering {
public:
  static constexpr std::size_t limit = 100'000;

  /// Of the next object that is shown, "$3 0x7f52a554c040"; the address alone of one beyond the
  /// limit.
  std::string next(Address object);

  /// What has a number: the first one is $1.
  const std::vector<Address>& objects() const { return objects_; }

private:
  std::vector<Address> objects_;
};

} // namespace pygc::report
