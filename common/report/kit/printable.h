// Text that is safe to show. Names and strings of a target are hostile input: a type may be called
// "\x1b[2J".
#pragma once

#include <string>
#include <string_view>

namespace pygc::report {

/// The text with everything that steers a terminal, or reorders what it shows, made visible:
/// control characters as \n, \t, \r or \x1b, other code points of that kind as \u202e, bytes that
/// are no UTF-8 as \xff. The rest, backslashes included, stays as it is.
std::string printable(std::string_view text);

/// The same for a text that is JSON already, where controls occur in strings only: they become
/// escapes of JSON, so that the document stays the same.
std::string printable_json(std::string json);

} // namespace pygc::report
