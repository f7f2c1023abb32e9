// Tells whether a file is still the one that it was, and unchanged.
#pragma once

#include <string>

namespace pygc {

/// Device, number, size and times of the file: another text when it was replaced or written to.
/// Empty when there is no such file.
std::string file_identity(const std::string& path);
/// The same of an open file.
std::string file_identity(int fd);

} // namespace pygc
