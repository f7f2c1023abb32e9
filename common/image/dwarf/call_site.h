// What DWARF records at a call: the function called and the values of its arguments, for debuggers
// that look back from inside it.
#pragma once

#include "common/image/dwarf/dwarf_eval.h"
#include "common/image/dwarf/dwarf_info.h"

#include <optional>
#include <vector>

namespace pygc::image {

/// The record of the call that returns to `return_address` (as linked), among the scopes around it.
std::optional<Dwarf_Die> find_call_site(std::vector<Dwarf_Die>& scopes, Address return_address);

/// Whether the call went to `callee` itself: its record names it or computes its address. A tail
/// call in between would make the record describe another function's arguments.
bool calls_function(Dwarf_Die& call_site, Dwarf_Die& callee, Address callee_bias,
                    const EvaluationContext& caller);

/// The value passed in a register, in the caller's terms.
std::optional<std::uint64_t> argument_in_register(Dwarf_Die& call_site, std::uint64_t number,
                                                  const EvaluationContext& caller);

} // namespace pygc::image
