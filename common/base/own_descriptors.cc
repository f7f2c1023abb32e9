#include "common/base/own_descriptors.h"

#include "common/base/numbers.h"

#include <dirent.h>
#include <memory>

namespace pygc {

std::vector<int> own_descriptors() {
  std::vector<int> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (const auto fd = number_in<int>(entry->d_name)) {
      all.push_back(*fd);
    }
  }
  return all;
}

} // namespace pygc
