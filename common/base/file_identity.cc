#include "common/base/file_identity.h"

#include <array>
#include <cstdio>
#include <sys/stat.h>

namespace pygc {
namespace {

std::string text_of(const struct stat& status) {
  std::array<char, 200> text{};
  std::snprintf(text.data(), text.size(), "%llu:%llu:%lld:%lld.%09ld:%lld.%09ld",
                static_cast<unsigned long long>(status.st_dev),
                static_cast<unsigned long long>(status.st_ino),
                static_cast<long long>(status.st_size),
                static_cast<long long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec,
                static_cast<long long>(status.st_ctim.tv_sec), status.st_ctim.tv_nsec);
  return text.data();
}

} // namespace

std::string file_identity(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? text_of(status) : std::string();
}

std::string file_identity(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? text_of(status) : std::string();
}

} // namespace pygc
