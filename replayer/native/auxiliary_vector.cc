#include "replayer/native/auxiliary_vector.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"

#include <elf.h>

namespace pygc::replayer {
namespace {

constinit std::uint64_t vdso = 0;
constinit std::uint64_t page = ::pygc::machine::least_page_size;

} // namespace

void read_auxiliary_vector(const std::uint64_t* initial_stack) {
  const std::uint64_t* word = initial_stack + 1 + *initial_stack + 1; // argc, argv, NULL
  while (*word != 0) {
    ++word; // the environment
  }
  for (++word; word[0] != AT_NULL; word += 2) {
    if (word[0] == AT_SYSINFO_EHDR) {
      vdso = word[1];
    } else if (word[0] == AT_PAGESZ) {
      page = word[1];
    }
  }
}

std::uint64_t vdso_address() {
  return vdso;
}

} // namespace pygc::replayer

std::uint64_t pygc::machine::page_size() {
  return replayer::page;
}
