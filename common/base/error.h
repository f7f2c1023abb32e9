// Errors are values: what went wrong, at which address of the target, and why, in one sentence.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace pygc {

/// An address in the target's address space (never a pointer of ours).
using Address = std::uint64_t;

enum class ErrorKind : std::uint8_t {
  usage,             // the command's words are off
  not_found,         // no such file
  permission,        // the system refuses
  io,                // the system fails otherwise
  not_a_core,        // the file is not an ELF core of this machine's kind
  truncated,         // the file ends before what its headers promise
  not_python,        // no image of the target is a CPython
  no_runtime,        // CPython, but its _PyRuntime cannot be found
  unsupported,       // a version or build that pygc does not handle
  build_id_mismatch, // a file is not the one that was loaded
  memory_unmapped,   // no such memory in the target
  memory_not_saved,  // the memory existed; the core lacks it and no file gives it
  corrupt,           // the target's data contradict themselves
  no_debug_info,     // no DWARF for what was asked
  no_symbol,         // no such symbol
  replayer,          // the replayer cannot be started or died
  protocol,          // the other side of a socket broke the protocol
  limit,             // a named limit was reached
  cancelled,         // the user interrupted
  internal,          // our own fault
};

/// The kind's name as JSON records spell it.
std::string_view error_kind_name(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  Address address = 0; // of the target; 0 when the error concerns none
  std::string reason;  // one sentence, without a trailing period or newline
};

template <class T> using Result = std::expected<T, Error>;

/// Shorthand for returning an error: `return fail(ErrorKind::io, 0, "...")`.
inline std::unexpected<Error> fail(ErrorKind kind, Address address, std::string reason) {
  return std::unexpected(Error{kind, address, std::move(reason)});
}

} // namespace pygc
