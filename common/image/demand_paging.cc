#include "common/image/demand_paging.h"

#include <cerrno>
#include <csignal>
#include <sys/mman.h>

namespace pygc::image {
namespace {

DemandPaging* first = nullptr;
struct sigaction previous;

} // namespace

/// A fault of the analysis is synchronous and lies in code that reads the target's memory, never in
/// the middle of an allocation: the handler may do what any function may.
struct DemandPaging::Handler {
  static bool serve(const std::byte* address) {
    for (DemandPaging* each = first; each != nullptr; each = each->next_) {
      if (address < each->bytes_ || address >= each->bytes_ + each->size_) {
        continue;
      }
      const auto run = each->pager_.bring(static_cast<std::uint64_t>(address - each->bytes_));
      return ::mprotect(each->bytes_ + run.start, run.end - run.start, PROT_READ) == 0;
    }
    return false;
  }

  static void on_fault(int signal, siginfo_t* info, void* /*context*/) {
    const int saved_errno = errno;
    if (!serve(static_cast<const std::byte*>(info->si_addr))) {
      ::sigaction(signal, &previous, nullptr); // a fault of our own: it comes again
    }
    errno = saved_errno;
  }
};

DemandPaging::DemandPaging(std::byte* bytes, std::uint64_t size, target::Pager& pager)
    : bytes_(bytes), size_(size), pager_(pager), next_(first) {
  if (first == nullptr) {
    struct sigaction action{};
    action.sa_sigaction = &Handler::on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    ::sigaction(SIGSEGV, &action, &previous);
  }
  first = this;
}

DemandPaging::~DemandPaging() {
  for (DemandPaging** link = &first; *link != nullptr; link = &(*link)->next_) {
    if (*link == this) {
      *link = next_;
      break;
    }
  }
  if (first == nullptr) {
    ::sigaction(SIGSEGV, &previous, nullptr);
  }
}

} // namespace pygc::image
