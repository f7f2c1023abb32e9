#include "replayer/emulated/sandbox.h"

#include "common/machine/page.h"
#include "replayer/emulated/origin_filter.h"
#include "replayer/shared/privileges.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <linux/close_range.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace pygc::replayer {
namespace {

using replay::protocol::control_fd;
using replay::protocol::LockFailure;

// Address space for what the emulator translates and remembers, beside what is mapped already.
constexpr std::uint64_t memory_to_come = std::uint64_t{4} << 30;

class Filter {
public:
  Filter() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS)) {}
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter() { ::seccomp_release(context_); }

  template <class... Conditions> void allow(int call, Conditions... conditions) {
    if (error_ == 0) {
      error_ =
          ::seccomp_rule_add(context_, SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...);
    }
  }

  /// 0, or errno.
  int load() {
    if (context_ == nullptr) {
      return ENOMEM;
    }
    return error_ != 0 ? -error_ : -::seccomp_load(context_);
  }

private:
  scmp_filter_ctx context_;
  int error_ = 0;
};

// What libseccomp's macros SCMP_A0 and so on make, which is C and no C++: a compound literal.
constexpr scmp_arg_cmp argument_is(unsigned index, scmp_datum_t value) {
  return {.arg = index, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}
constexpr scmp_arg_cmp argument_has(unsigned index, scmp_datum_t mask, scmp_datum_t bits) {
  return {.arg = index, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}

int install_filter(int kept_file) {
  constexpr auto not_executable = argument_has(2, PROT_EXEC, 0);
  Filter filter;
  filter.allow(SCMP_SYS(read), argument_is(0, control_fd));
  filter.allow(SCMP_SYS(write), argument_is(0, control_fd));
  if (kept_file >= 0) {
    filter.allow(SCMP_SYS(pread64), argument_is(0, static_cast<scmp_datum_t>(kept_file)));
  }
  filter.allow(SCMP_SYS(mmap), not_executable, argument_has(3, MAP_ANONYMOUS, MAP_ANONYMOUS));
  filter.allow(SCMP_SYS(mprotect), not_executable);
  filter.allow(SCMP_SYS(munmap));
  filter.allow(SCMP_SYS(mremap));
  filter.allow(SCMP_SYS(madvise));
  filter.allow(SCMP_SYS(brk));
  filter.allow(SCMP_SYS(futex));
  filter.allow(SCMP_SYS(rt_sigreturn));
  filter.allow(SCMP_SYS(rt_sigprocmask)); // longjmp
  filter.allow(SCMP_SYS(clock_gettime));
  filter.allow(SCMP_SYS(exit_group));
  return filter.load();
}

/// Bytes; 0: not known.
std::uint64_t address_space_size() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages;
  return pages * ::pygc::machine::page_size();
}

/// All descriptors behind the control socket, but for that one.
bool close_others(int kept_file) {
  constexpr unsigned first = control_fd + 1;
  if (kept_file < 0) {
    return ::close_range(first, ~0U, 0) == 0;
  }
  const auto kept = static_cast<unsigned>(kept_file);
  return (kept == first || ::close_range(first, kept - 1, 0) == 0) &&
         ::close_range(kept + 1, ~0U, 0) == 0;
}

int limit(__rlimit_resource resource, rlim_t value) {
  rlimit bounds{};
  if (::getrlimit(resource, &bounds) != 0) {
    return errno;
  }
  value = value < bounds.rlim_max ? value : bounds.rlim_max;
  bounds = {value, value};
  return ::setrlimit(resource, &bounds) == 0 ? 0 : errno;
}

} // namespace

void die_with_parent(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that call.
  if (::getppid() != parent) {
    ::_exit(replay::protocol::exit_done);
  }
}

LockResult enter_sandbox(int parent, int kept_file) {
  const std::uint64_t in_use = address_space_size();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return {LockFailure::no_new_privileges, errno};
  }
  if (!close_others(kept_file)) {
    return {LockFailure::descriptors, errno};
  }
  for (int fd = 0; fd < control_fd; ++fd) {
    ::close(fd);
  }
  give_up_privileges();
  die_with_parent(parent);
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return {LockFailure::no_new_privileges, errno};
  }
  if (const int error = in_use == 0 ? 0 : limit(RLIMIT_AS, in_use + memory_to_come); error != 0) {
    return {LockFailure::limits, error};
  }
  for (const ResourceBound& bound : resource_bounds) {
    if (const int error = limit(static_cast<__rlimit_resource>(bound.resource), bound.value);
        error != 0) {
      return {LockFailure::limits, error};
    }
  }
  if (const int error = allow_calls_of_the_c_library(); error != 0) {
    return {LockFailure::seccomp, error};
  }
  if (const int error = install_filter(kept_file); error != 0) {
    return {LockFailure::seccomp, error};
  }
  return {};
}

} // namespace pygc::replayer
