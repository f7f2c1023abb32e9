// Opens the image of a target.
#pragma once

#include "common/base/error.h"
#include "common/image/module.h"
#include "common/target/target.h"

#include <memory>

namespace pygc::image {

/// Puts the image together. Files whose build-id differs from the one in the target's memory are
/// never used: their modules are in state build_id_mismatch and their memory is `missing`.
/// Errors: io, limit.
Result<std::unique_ptr<ProcessImage>> open_process_image(const target::Target& target,
                                                         const FileOptions& options);

} // namespace pygc::image
