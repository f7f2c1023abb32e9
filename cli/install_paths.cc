#include "cli/install_paths.h"

#include <cstdlib>
#include <filesystem>

namespace pygc::cli {
namespace {

std::string directory(const char* variable, const char* below_prefix) {
  if (const char* value = std::getenv(variable); value != nullptr && *value != '\0') {
    return value;
  }
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  return (executable.parent_path().parent_path() / below_prefix).string();
}

} // namespace

std::string replayer_directory() {
  return directory("PYGC_LIBEXEC_DIR", "libexec/pygc");
}
std::string share_directory() {
  return directory("PYGC_SHARE_DIR", "share/pygc");
}

} // namespace pygc::cli
