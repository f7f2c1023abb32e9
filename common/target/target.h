// What an analysis may ask of the thing it examines: a core file, a stopped process, a debugger's
// target. Knows nothing of CPython and nothing of ELF.
#pragma once

#include "common/base/permissions.h"
#include "common/machine/thread.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pygc::target {

using machine::Thread;
using pygc::Permissions;

/// A run of the target's memory whose bytes lie in a file that we hold open: a PT_LOAD of a core,
/// or a piece of a snapshot. `saved` bytes of `size` are there (saved < size: the rest was not
/// saved).
struct Segment {
  Address start = 0;
  std::uint64_t size = 0;
  std::uint64_t saved = 0;
  std::uint64_t offset = 0; // in backing_fd(); not necessarily page-aligned (gcore)
  Permissions permissions;
};

/// A file mapping of the target: NT_FILE of a core, /proc/PID/maps of a process.
struct FileMapping {
  Address start = 0;
  Address end = 0;
  std::uint64_t file_offset = 0; // bytes
  std::string path;              // as the target saw it
};

enum class Kind : std::uint8_t { core, live, remote };

struct Info {
  Kind kind = Kind::core;
  std::int64_t pid = 0;
  std::string core_path;       // empty unless kind is core
  std::string executable_path; // as the target or the debugger names it; empty when unknown
  bool truncated = false;      // the core file ends before what its headers promise
  /// A process that pygc itself stopped: how long it stood still.
  // With an initialiser, so that a designated one may leave it out.
  // NOLINTNEXTLINE(readability-redundant-member-init)
  std::optional<double> stopped_seconds{};
};

/// Memory that comes when it is touched: the file behind a target's segments then is a memory file
/// with holes, which a pager fills.
class Pager {
public:
  Pager() = default;
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  virtual ~Pager() = default;

  /// A run of whole pages of the file that have been brought.
  struct Run {
    std::uint64_t start = 0; // offset in the file
    std::uint64_t end = 0;
    bool readable = true; // false: the page asked for could not be read, and is zeros
  };
  /// Brings the page at the offset and some of its neighbours into the file, unless they are there.
  virtual Run bring(std::uint64_t offset) = 0;
};

struct Traffic {
  std::uint64_t fetched = 0;    // bytes
  std::uint64_t unreadable = 0; // bytes that were wanted and could not be had: they count as zeros
};

class Target {
public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  virtual const Info& info() const = 0;
  /// Sorted by start, not overlapping.
  virtual const std::vector<Segment>& segments() const = 0;
  /// Sorted by start. Empty when the target cannot tell.
  virtual const std::vector<FileMapping>& file_mappings() const = 0;
  /// The first one is the one that stopped the target (or the debugger's selected one).
  virtual const std::vector<Thread>& threads() const = 0;
  /// The file that segments() point into; owned by the target.
  virtual int backing_fd() const = 0;
  /// What fills that file on demand; null when all of it is there.
  virtual Pager* pager() const { return nullptr; }
  /// What the pager did so far; nothing where there is none.
  virtual std::optional<Traffic> traffic() const { return std::nullopt; }
};

} // namespace pygc::target
