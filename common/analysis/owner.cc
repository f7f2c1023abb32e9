#include "common/analysis/owner.h"

namespace pygc::analysis {

std::string_view owner_name(Owner owner) {
  switch (owner) {
  case Owner::object:
    return "object";
  case Owner::module_state:
    return "module state";
  case Owner::runtime:
    return "runtime";
  case Owner::interpreter:
    return "interpreter";
  case Owner::static_storage:
    return "static";
  case Owner::unknown:
    return "unknown";
  }
  return "unknown";
}

} // namespace pygc::analysis
