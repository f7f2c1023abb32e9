// Values of parameters and locals at a code address.
#pragma once

#include "common/image/dwarf/dwarf_eval.h"
#include "common/image/dwarf/dwarf_info.h"
#include "common/image/module.h"

#include <map>
#include <optional>
#include <span>
#include <string>

namespace pygc::image {

/// What DW_AT_frame_base of a function says in this frame.
std::optional<std::uint64_t> frame_base_of(Dwarf_Die& function, Address code,
                                           const EvaluationContext& context);

/// Adds the parameters and variables that a scope declares itself and whose values can be told, as
/// far as they are not there yet. `code` is an address as linked. With `held` those only that lie
/// in a register or in that memory.
void read_variables(Dwarf_Die& scope, Address code, const EvaluationContext& context,
                    const std::optional<Range>& held,
                    std::map<std::string, std::uint64_t, std::less<>>& to);

} // namespace pygc::image
