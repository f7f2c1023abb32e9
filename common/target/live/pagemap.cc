#include "common/target/live/pagemap.h"

#include "common/machine/page.h"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace pygc::target {
namespace {

// Documentation/admin-guide/mm/pagemap.rst
constexpr std::uint64_t present = std::uint64_t{1} << 63U;
constexpr std::uint64_t swapped = std::uint64_t{1} << 62U;
constexpr std::uint64_t of_file = std::uint64_t{1} << 61U;

} // namespace

Pagemap::Pagemap(pid_t pid)
    : file_(::open(("/proc/" + std::to_string(pid) + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC)) {}

void Pagemap::read(Address start, std::span<Page> pages) {
  entries_.assign(pages.size(), present);
  std::size_t done = 0;
  const std::size_t wanted = pages.size() * sizeof(std::uint64_t);
  while (file_ && done < wanted) {
    const ssize_t n =
        ::pread(file_.get(), reinterpret_cast<std::byte*>(entries_.data()) + done, wanted - done,
                static_cast<off_t>(start / machine::page_size() * sizeof(std::uint64_t) + done));
    if (n <= 0) {
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  std::ranges::transform(entries_, pages.begin(), [](std::uint64_t entry) {
    const bool used = (entry & (present | swapped)) != 0;
    return Page{.used = used, .own = used && (entry & of_file) == 0};
  });
}

} // namespace pygc::target
