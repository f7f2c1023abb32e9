// The objects that the last list of a target has numbered: `$3` of the next command. They are kept
// in the user's cache directory, for a target each: an analysis may end with its command.
#pragma once

#include "common/session/options.h"
#include "common/session/surroundings.h"
#include "common/target/target.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pygc::session {

/// A process on this machine, by its number and when it began. Empty: there is none.
std::string process_identity(std::int64_t pid);

/// By what a target is known again: a core by its file, a process by its number and when it began;
/// what one debugger shows is nothing to another one. Empty: it is not (a core from a pipe).
std::string list_key(const Options& options, const target::Info& target,
                     const Surroundings& surroundings);

/// Keeps what the command has numbered under Surroundings::list_key, in place of the list before;
/// that one stays when nothing was numbered. Failures are silent: the cache is a convenience.
void keep_list(const Surroundings& surroundings);

/// Errors: usage (there is no list, or it is shorter).
Result<Address> object_of_list(const Surroundings& surroundings, std::size_t number);

} // namespace pygc::session
