// How GDB's commands and the library talk: memory files at fixed descriptors of GDB's process,
// which the script reaches as /proc/self/fd/N. No temporary files; two GDBs cannot collide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::gdb {

inline constexpr int request_fd = 731; // the script appends to it
inline constexpr int response_fd =
    732;                              // commands for "source": first the definitions, then answers
inline constexpr int status_fd = 733; // commands for "source": sets $pygc_status and the next step
inline constexpr int answer_fd = 734; // what GDB's commands for remote targets write
inline constexpr int load_fd = 735;   // commands that load the library: none while it is loaded
inline constexpr unsigned needed_descriptors = load_fd + 1; // of the process's limit

/// In the request file each item is a byte that says what it is, then its text (NULs are padding).
enum class Item : char {
  begin = 5,    // a new command; its name
  argument = 1, // as typed
  thread = 2,   // registers of a thread, the selected one first
  value = 3,    // what the expression asked about evaluates to
  sysroot = 6,
  version = 7, // of GDB
  style = 8,   // 1 where GDB styles its output
  signal = 14, // that the thread before it has stopped at; absent where GDB does not know
  send = 4,    // complete: without it nothing happens
};

struct Request {
  struct Part {
    Item item = Item::begin;
    std::string text;
  };
  bool complete = false;   // false: nothing is pending
  std::vector<Part> parts; // without the final `send`
};

/// Makes the files, the definitions in the second. What forbids it; empty when they are there.
std::string open_channels(const std::string& definitions);

/// Whether take_request() would find one.
bool request_is_complete();

/// Takes the pending request away, so that it does not come up again after a ^C.
Request take_request();

/// What the last command left in answer_fd, which is empty afterwards.
std::string take_answer();

/// Replaces what "source" reads. A fresh file each time: an outer "source" may still read the old
/// one.
bool answer(const std::string& response, const std::string& status);

/// Replaces what pygc.gdb has GDB do when it is sourced once more.
bool set_load_commands(const std::string& commands);

/// GDB splits a command's words at blanks outside quotes and leaves the quotes in.
std::string unquote(std::string_view word);

} // namespace pygc::gdb
