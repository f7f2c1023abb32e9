// Files by build-id from debuginfod servers, where the user has set DEBUGINFOD_URLS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pygc::image {

enum class DebuginfodKind : std::uint8_t { executable, debug_info };

/// The path of a local copy; nothing when no server is set, none has the file, or the client
/// library is not there.
std::optional<std::string> debuginfod_find(const std::string& build_id, DebuginfodKind kind);

} // namespace pygc::image
