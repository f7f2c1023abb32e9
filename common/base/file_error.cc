#include "common/base/file_error.h"

#include <cerrno>
#include <cstring>

namespace pygc {

std::unexpected<Error> file_error(const std::string& path, int number) {
  const std::string text = path + ": " + std::strerror(number);
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    return fail(ErrorKind::not_found, 0, text);
  case EACCES:
  case EPERM:
    return fail(ErrorKind::permission, 0, text);
  case EMFILE:
    return fail(ErrorKind::limit, 0, text + "; raise the limit (ulimit -n)");
  default:
    return fail(ErrorKind::io, 0, text);
  }
}

} // namespace pygc
