// A core file as a Target: segments, NT_FILE, NT_PRSTATUS, auxiliary vector.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/target/core/packed_core.h"
#include "common/target/target.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace pygc::target {

/// Opens a core by path, compressed or not. Errors: not_found, permission, io, not_a_core (says
/// what the file is instead), unsupported (another machine), and those of open_packed_core().
Result<std::unique_ptr<Target>> open_core(const std::string& path, const Unpacking& unpacking = {});

/// A plain core by a descriptor, as a debugger hands it over; `path` is for messages.
Result<std::unique_ptr<Target>> open_core(UniqueFd fd, const std::string& path);

/// A plain core in our own memory, which is to stay as it is as long as the target, read as a file
/// is: the target's descriptor is /proc/self/mem, its offsets are addresses.
Result<std::unique_ptr<Target>> open_core(std::span<const std::byte> core, const std::string& name);

} // namespace pygc::target
