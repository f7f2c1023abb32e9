// Cores that cannot be read at any position as they are: compressed ones, and what comes through a
// pipe. They are unpacked into a file without a name, with holes where there are zeros.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <functional>
#include <string>

namespace pygc::target {

struct Unpacking {
  std::string directory;                        // where the file is to lie; empty: in memory
  std::function<void(const std::string&)> says; // what takes long: "unpacking core.zst (zstd)"
  std::function<bool()> cancelled;
};

/// The path by which users mean standard input.
inline constexpr const char* standard_input = "-";

/// A file with the bytes of the core: that of the path itself where it is neither compressed nor a
/// pipe. A compressed one that ends too early gives what there is of it, as a truncated core.
/// Errors: not_found, permission, io, corrupt (damaged compressed data), limit (no room for it),
/// cancelled.
Result<UniqueFd> open_packed_core(const std::string& path, const Unpacking& unpacking);

} // namespace pygc::target
