#include "replayer/native/read_ahead.h"

#include "replayer/native/fetch.h"
#include "replayer/native/machine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace pygc::replayer {
namespace {

// So many chunks a walk has to have come to before it is worth a process.
constexpr std::uint64_t least_chunks = 4;
// How far from the walk: it may turn elsewhere.
constexpr std::uint64_t farthest = 8;

alignas(16) std::array<char, std::size_t{16} << 10> reader_stack;
std::int64_t reader = 0; // its process number
int walker = 0;          // that of the replayer
bool is_possible = true;

// As many processors as the kernel's default knows.
std::array<std::uint64_t, 128> processors;

std::atomic<std::uint64_t> current = 0; // where the walk is
std::atomic<std::uint32_t> moves = 0;   // how often it has said so
std::atomic<bool> sleeps = false;
std::atomic<bool> is_over = false;

std::uint64_t address_of(const void* object) {
  return reinterpret_cast<std::uint64_t>(object);
}

void futex(std::atomic<std::uint32_t>& word, std::uint64_t operation, std::uint64_t value) {
  machine::syscall(SYS_futex, address_of(&word), operation | FUTEX_PRIVATE_FLAG, value, 0);
}

void wake_reader() {
  moves.fetch_add(1);
  if (sleeps.load()) {
    futex(moves, FUTEX_WAKE, INT_MAX);
  }
}

/// Reads the next chunk in the direction of the walk, else the next behind it. False: there is
/// none.
bool read_next(std::uint64_t from, bool upward) {
  for (const bool up : {upward, !upward}) {
    for (std::uint64_t far = 1; far <= farthest; ++far) {
      const std::uint64_t distance = far * fetched_at_once;
      if (!up && distance > from) {
        break;
      }
      if (fetch_ahead(up ? from + distance : from - distance)) {
        return true;
      }
    }
  }
  return false;
}

/// Those that the replayer may run on, but for the one that it runs on: left alone, the kernel
/// often has both take turns on one while another is idle. False: there is no other.
bool choose_processors() {
  const std::int64_t size =
      machine::syscall(SYS_sched_getaffinity, 0, sizeof(processors), address_of(&processors));
  std::uint32_t own = 0;
  if (size <= 0 || machine::syscall(SYS_getcpu, address_of(&own), 0, 0) != 0 ||
      own / 64 >= processors.size()) {
    return false;
  }
  processors[own / 64] &= ~(std::uint64_t{1} << own % 64);
  return std::ranges::any_of(processors, [](std::uint64_t word) { return word != 0; });
}

void read_until_over() {
  machine::syscall(SYS_sched_setaffinity, 0, sizeof(processors), address_of(&processors));
  machine::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  std::uint64_t before = current.load() / fetched_at_once;
  bool upward = false; // the kernel places new memory below the last
  std::uint64_t read = 0;
  // The walker may have died before it was asked to take this process along.
  while (!is_over.load() && machine::syscall(SYS_getppid) == walker) {
    const std::uint32_t seen = moves.load();
    const std::uint64_t now = current.load() / fetched_at_once;
    upward = now == before ? upward : now > before;
    before = now;
    // Never more than what the walk itself had to wait for: what lies there may be of no list.
    if (read < fetches_waited_for() && read_next(now * fetched_at_once, upward)) {
      ++read;
      continue;
    }
    sleeps.store(true);
    if (!is_over.load()) {
      futex(moves, FUTEX_WAIT, seen);
    }
    sleeps.store(false);
  }
}

std::uint64_t set_signal_mask(std::uint64_t mask) {
  std::uint64_t before = 0;
  machine::syscall(SYS_rt_sigprocmask, SIG_SETMASK, address_of(&mask), address_of(&before),
                   sizeof(mask));
  return before;
}

/// A process and no thread: one that has ended still counts as a thread for a while, and the
/// kernel gives a user namespace only to a process that has no more than one.
void start() {
  is_possible = false; // is not tried again
  if (!choose_processors()) {
    return;
  }
  walker = static_cast<int>(machine::syscall(SYS_getpid));
  const std::uint64_t before = set_signal_mask(~std::uint64_t{0});
  reader = machine::start_process(&read_until_over, address_of(reader_stack.end()),
                                  CLONE_VM | CLONE_FILES);
  set_signal_mask(before);
}

} // namespace

void read_ahead_of(std::uint64_t address) {
  current.store(address, std::memory_order_relaxed);
  if (reader > 0) {
    wake_reader();
  } else if (is_possible && fetches_waited_for() >= least_chunks) {
    start();
  }
}

void end_read_ahead() {
  if (reader <= 0) {
    return;
  }
  is_over.store(true);
  wake_reader();
  constexpr std::int64_t interrupted = -4;
  while (machine::syscall(SYS_wait4, static_cast<std::uint64_t>(reader), 0, __WALL, 0) ==
         interrupted) {
  }
  reader = 0;
}

} // namespace pygc::replayer
