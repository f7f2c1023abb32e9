// What the system says of a file that is to be read.
#pragma once

#include "common/base/error.h"

#include <string>

namespace pygc {

/// "PATH: No such file or directory", of kind not_found, permission, limit or io. `number`: an
/// errno.
std::unexpected<Error> file_error(const std::string& path, int number);

} // namespace pygc
