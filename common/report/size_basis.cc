#include "common/report/size_basis.h"

namespace pygc::report {

std::string_view size_basis_word(cpython::SizeBasis basis) {
  return basis == cpython::SizeBasis::lower_bound ? "lower_bound" : size_basis_name(basis);
}

} // namespace pygc::report
