#include "replayer/shared/privileges.h"

#include "replayer/shared/system.h"

#include <array>
#include <cstdint>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace pygc::replayer {
namespace {

constexpr std::uint64_t nobody = 65534; // the kernel's overflow user and group
constexpr std::uint64_t last_capability = 63;

template <class T> std::uint64_t address_of(const T& object) {
  return reinterpret_cast<std::uint64_t>(&object);
}

// linux/landlock.h as of 6.12; the headers of the machine that builds may be older.
constexpr std::int64_t landlock_create_ruleset = 444;
constexpr std::int64_t landlock_restrict_self = 446;
constexpr std::uint64_t landlock_version = 1; // a flag: asks for the ABI

struct LandlockRuleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0; // since ABI 4
  std::uint64_t scoped = 0;  // since ABI 6: abstract sockets, signals
};

/// All rights that an ABI knows of, each a bit.
LandlockRuleset all_rights(std::int64_t abi) {
  constexpr std::array<unsigned, 5> file_rights{13, 14, 15, 15, 16}; // of ABI 1 and so on
  const auto known = static_cast<std::size_t>(abi) < file_rights.size()
                         ? static_cast<std::size_t>(abi) - 1
                         : file_rights.size() - 1;
  return {.files = (std::uint64_t{1} << file_rights[known]) - 1,
          .network = abi >= 4 ? 3U : 0U,
          .scoped = abi >= 6 ? 3U : 0U};
}

std::uint64_t ruleset_size(std::int64_t abi) {
  return sizeof(std::uint64_t) * (abi >= 6 ? 3U : abi >= 4 ? 2U : 1U);
}

void restrict_by_landlock() {
  const std::int64_t abi = system::call(landlock_create_ruleset, 0, 0, landlock_version);
  if (abi < 1) {
    return;
  }
  const LandlockRuleset rules = all_rights(abi);
  const std::int64_t fd =
      system::call(landlock_create_ruleset, address_of(rules), ruleset_size(abi), 0);
  if (fd >= 0) {
    system::call(landlock_restrict_self, static_cast<std::uint64_t>(fd), 0);
    system::close(static_cast<int>(fd));
  }
}

struct Capabilities {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};

  bool has(unsigned capability) const {
    return (sets[capability / 32].effective >> (capability % 32) & 1U) != 0;
  }
};

} // namespace

void give_up_privileges() {
  system::call(SYS_chdir, address_of("/"));
  Capabilities own;
  system::call(SYS_capget, address_of(own.header), address_of(own.sets));
  for (std::uint64_t capability = 0; capability <= last_capability; ++capability) {
    system::call(SYS_prctl, PR_CAPBSET_DROP, capability);
  }
  // The analysis must be able to kill us when we are nobody.
  if (own.has(CAP_SETUID) && own.has(CAP_SETGID) && own.has(CAP_KILL)) {
    system::call(SYS_setgroups, 0, 0);
    system::call(SYS_setresgid, nobody, nobody, nobody);
    system::call(SYS_setresuid, nobody, nobody, nobody);
  } else {
    system::call(SYS_unshare, CLONE_NEWUSER);
  }
  const Capabilities none;
  system::call(SYS_capset, address_of(none.header), address_of(none.sets));
  restrict_by_landlock();
}

} // namespace pygc::replayer
