// The payloads of the protocol's messages. Integers are little-endian, a string is its length (32
// bits) and its bytes. Decoding fails (protocol) on anything but an exact fit.
#pragma once

#include "common/base/error.h"
#include "common/base/permissions.h"
#include "common/machine/thread.h"
#include "common/protocol/wire_actions.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::wire {

/// The size of the shared window that read requests are answered through.
inline constexpr std::size_t window_size = std::size_t{1} << 20;

enum class TargetKind : std::uint8_t { none, core, live, remote };

/// A command, and what it is about. Descriptors that come along: the window (a sealed memfd of
/// window_size bytes), then, when `has_backing`, the core file or the process's /proc/PID/mem.
struct Hello {
  std::vector<std::string> words = {}; // the command: its name and its arguments
  /// Another text whenever the target may be another or have changed. Empty: the debugger cannot
  /// tell, and nothing may be kept for the next command.
  std::string stop_id = {};
  std::string debugger = {}; // "gdb", "lldb"
  std::string debugger_version = {};
  TargetKind kind = TargetKind::none;
  std::int64_t pid = 0; // 0: unknown
  std::string core_path = {};
  std::string executable_path = {};
  std::string sysroot = {};
  std::uint32_t columns = 0; // of the terminal; 0: unknown
  bool terminal = false;     // colours are welcome
  bool has_backing = false;
};

struct ReadRequest {
  Address address = 0;
  std::uint32_t length = 0; // 1 to window_size
};

struct Mapping {
  Address start = 0;
  Address end = 0;
  std::uint64_t file_offset = 0;
  Permissions permissions = {};
  bool shared = false;   // with other processes, or with its file
  std::string path = {}; // empty: anonymous
};

/// The selected thread first. A tid of 0: the debugger does not say.
struct ThreadsAnswer {
  std::vector<machine::Thread> threads = {};
};

struct MappingsAnswer {
  bool known = false;
  std::vector<Mapping> mappings = {};
};

struct EvaluateAnswer {
  bool ok = false;
  Address value = 0;
  std::string problem = {}; // unless ok
};

struct Done {
  std::int32_t status = 0;
  std::vector<Action> actions = {}; // for the debugger, in this order, after the output
  bool stays = false;               // the analysis waits for another hello
};

std::string encode(const Hello& hello);
std::string encode(const ReadRequest& request);
std::string encode(const ThreadsAnswer& answer);
std::string encode(const MappingsAnswer& answer);
std::string encode(const EvaluateAnswer& answer);
std::string encode(const Done& done);
std::string encode_flag(bool flag);

Result<Hello> decode_hello(std::string_view payload);
Result<ReadRequest> decode_read_request(std::string_view payload);
Result<ThreadsAnswer> decode_threads_answer(std::string_view payload);
Result<MappingsAnswer> decode_mappings_answer(std::string_view payload);
Result<EvaluateAnswer> decode_evaluate_answer(std::string_view payload);
Result<Done> decode_done(std::string_view payload);
Result<bool> decode_flag(std::string_view payload);

} // namespace pygc::wire
