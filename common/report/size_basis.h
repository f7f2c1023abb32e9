// How sure a size is, in the words of text and of JSON.
#pragma once

#include "common/cpython/objects/object_size.h"

#include <string_view>

namespace pygc::report {

using cpython::size_basis_name; // for people: "lower bound"

/// The same in JSON: "exact", "model", "lower_bound".
std::string_view size_basis_word(cpython::SizeBasis basis);

} // namespace pygc::report
