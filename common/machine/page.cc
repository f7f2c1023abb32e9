#include "common/machine/page.h"

#include <unistd.h>

namespace pygc::machine {

std::uint64_t page_size() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

} // namespace pygc::machine
