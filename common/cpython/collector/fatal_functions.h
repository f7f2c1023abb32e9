// The functions by which an interpreter or the C library gives up, and what they are passed.
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/module.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::cpython {

/// What a fatal function was told, as far as it can be read.
struct FatalCall {
  std::string function;   // "_PyObject_AssertFailed"
  Address object = 0;     // that is at fault; 0: none is named
  std::string expression; // that is not true
  std::string message;
  std::string file;
  std::int64_t line = 0; // 0: not known
};

/// Those that the target has: _PyObject_AssertFailed (Objects/object.c), Py_FatalError and
/// _Py_FatalErrorFunc (Python/pylifecycle.c), and of the C library __assert_fail and abort.
std::vector<Address> fatal_functions(const image::ProcessImage& image, const Runtime& runtime);

/// `arguments`: of a call of the fatal function at this address, the first ones in order.
FatalCall read_fatal_call(const image::ProcessImage& image, Address function,
                          std::span<const std::uint64_t> arguments);

/// "assertion '!is_freed(op)' (obmalloc.c:12)", "fatal error 'no thread state'", "abort()".
std::string describe(const FatalCall& call);

} // namespace pygc::cpython
