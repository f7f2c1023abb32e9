#include "common/base/error.h"

namespace pygc {

std::string_view error_kind_name(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::usage:
    return "usage";
  case ErrorKind::not_found:
    return "not_found";
  case ErrorKind::permission:
    return "permission";
  case ErrorKind::io:
    return "io";
  case ErrorKind::not_a_core:
    return "not_a_core";
  case ErrorKind::truncated:
    return "truncated";
  case ErrorKind::not_python:
    return "not_python";
  case ErrorKind::no_runtime:
    return "no_runtime";
  case ErrorKind::unsupported:
    return "unsupported";
  case ErrorKind::build_id_mismatch:
    return "build_id_mismatch";
  case ErrorKind::memory_unmapped:
    return "memory_unmapped";
  case ErrorKind::memory_not_saved:
    return "memory_not_saved";
  case ErrorKind::corrupt:
    return "corrupt";
  case ErrorKind::no_debug_info:
    return "no_debug_info";
  case ErrorKind::no_symbol:
    return "no_symbol";
  case ErrorKind::replayer:
    return "replayer";
  case ErrorKind::protocol:
    return "protocol";
  case ErrorKind::limit:
    return "limit";
  case ErrorKind::cancelled:
    return "cancelled";
  case ErrorKind::internal:
    return "internal";
  }
  return "internal";
}

} // namespace pygc
