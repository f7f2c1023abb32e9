#include "common/report/error_view.h"

#include "common/report/kit/envelope.h"

namespace pygc::report {

std::string mend_for(const Error& error) {
  switch (error.kind) {
  case ErrorKind::usage:
    return "pygc --help, and pygc COMMAND --help, show what is accepted";
  case ErrorKind::not_found:
    return "name a file or process that is there; --executable FILE or --sysroot DIR say where the "
           "target's files are (or set DEBUGINFOD_URLS)";
  case ErrorKind::build_id_mismatch:
    return "pygc check CORE --executable FILE (or --sysroot DIR with the target's files; or set "
           "DEBUGINFOD_URLS)";
  case ErrorKind::unsupported:
  case ErrorKind::no_debug_info:
  case ErrorKind::no_symbol:
    return "install the interpreter's debug symbols, where it is a supported one";
  case ErrorKind::permission:
    return "run pygc as the owner of the file or process, or as root";
  case ErrorKind::replayer:
    return "reinstall pygc; in a container allow seccomp and prctl(PR_SET_NO_NEW_PRIVS)";
  case ErrorKind::truncated:
    return "ulimit -c unlimited, and room on the disk, before the next core";
  case ErrorKind::cancelled:
    return "run the command again";
  case ErrorKind::not_a_core:
  case ErrorKind::not_python:
  case ErrorKind::no_runtime:
  case ErrorKind::corrupt:
    return "name the core of a CPython process";
  case ErrorKind::memory_unmapped:
  case ErrorKind::memory_not_saved:
    return "take a core with all of the memory: pygc snapshot, gcore, or a kernel core with "
           "coredump_filter 0x33";
  case ErrorKind::io:
  case ErrorKind::limit:
    return {};
  case ErrorKind::internal:
  case ErrorKind::protocol:
    return "reinstall pygc and its plugins, all of one version";
  }
  return {};
}

std::string error_json(const Subject& subject, const Error& error) {
  Json document = envelope("error", subject, {error.reason});
  document["kind"] = error_kind_name(error.kind);
  document["message"] = error.reason;
  document["address"] = address_or_null(error.address);
  document["mend"] = text_or_null(mend_for(error));
  return document_text(document);
}

} // namespace pygc::report
