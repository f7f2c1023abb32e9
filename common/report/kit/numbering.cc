#include "common/report/kit/numbering.h"

#include "common/base/numbers.h"

namespace pygc::report {

std::string Numbering::next(Address object) {
  if (objects_.size() == limit) {
    return hex(object);
  }
  objects_.push_back(object);
  return '$' + std::to_string(objects_.size()) + ' ' + hex(object);
}

} // namespace pygc::report
