// What commands that answer questions about objects share.
#pragma once

#include "common/session/context.h"

#include <string>
#include <vector>

namespace pygc::commands {

/// Adds a sentence for a truncated core, and for memory of a process that could not be read.
void add_target_reasons(const session::Context& context, std::vector<std::string>& reasons);

/// The object that the user means: a number, or an expression of the debugger's. Errors: usage.
Result<Address> object_address(target::Session& session, const std::string& text);

} // namespace pygc::commands
