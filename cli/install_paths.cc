#include "cli/install_paths.h"

#include <cstdlib>
#include <filesystem>

namespace pygc::cli {
namespace {

std::string directory(const char* variable, const char* from_executable) {
  if (const char* value = std::getenv(variable); value != nullptr && *value != '\0') {
    return value;
  }
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return (executable.parent_path() / from_executable).lexically_normal().string();
}

} // namespace

std::string replayer_directory() {
  return directory("PYGC_LIBEXEC_DIR", PYGC_LIBEXEC_FROM_BIN);
}
std::string share_directory() {
  return directory("PYGC_SHARE_DIR", PYGC_SHARE_FROM_BIN);
}

} // namespace pygc::cli
