// Where the debug information of an image lies when it is not in the image's own file.
#pragma once

#include "common/image/elf/elf_handle.h"
#include "common/image/module.h"

#include <optional>
#include <string>

namespace pygc::image {

/// By build-id, then by .gnu_debuglink of the image's own file (nullptr when that was not found),
/// then from debuginfod. Only a file with the same build-id is taken.
std::optional<ElfHandle> find_debug_file(const std::string& build_id, const ElfHandle* own,
                                         const FileOptions& options);

/// The supplementary file that a debug file shares with others (.gnu_debugaltlink, written by dwz).
std::optional<ElfHandle> find_supplementary_file(const std::string& name,
                                                 const std::string& build_id,
                                                 const std::string& debug_path,
                                                 const FileOptions& options);

} // namespace pygc::image
