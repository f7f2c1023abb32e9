#include "common/base/cache_directory.h"

#include <cstdlib>

namespace pygc {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

} // namespace

std::string cache_directory() {
  if (std::string own = environment("PYGC_CACHE_DIR"); !own.empty()) {
    return own;
  }
  if (std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    return cache + "/pygc";
  }
  if (std::string home = environment("HOME"); !home.empty()) {
    return home + "/.cache/pygc";
  }
  return {};
}

} // namespace pygc
