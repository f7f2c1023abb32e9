// The framing of the protocol between a debugger's plugin (serves a target) and the analysis:
// messages of a fixed header {magic, version, type, length, descriptors} and a bounded payload over
// a Unix stream socket. Both sides check everything; neither trusts the other.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::wire {

inline constexpr std::uint32_t magic = 0x63677970; // "pygc", little-endian
inline constexpr std::uint16_t protocol_version = 6;
inline constexpr std::size_t header_size = 16;
inline constexpr std::size_t max_payload = std::size_t{16} << 20;
inline constexpr std::size_t max_descriptors = 4;
inline constexpr int idle_milliseconds = 100;

enum class Type : std::uint16_t {
  hello = 1,          // plugin -> analysis: a command, when the one before it is done
  output,             // analysis -> plugin, no answer
  diagnostics,        // analysis -> plugin, no answer
  threads,            // analysis -> plugin
  threads_answer,     //
  read,               // analysis -> plugin; the bytes come through the window
  read_answer,        //
  mappings,           // analysis -> plugin
  mappings_answer,    //
  evaluate,           // analysis -> plugin
  evaluate_answer,    //
  interrupted,        // analysis -> plugin
  interrupted_answer, //
  done,               // analysis -> plugin, the last of a command, no answer
  progress,           // analysis -> plugin, no answer
  commands,           // analysis -> plugin, alone, when it is asked for its table of commands
  accepted,           // analysis -> plugin, the answer to hello
  abandoned,          // plugin -> analysis, in the place of an answer: nobody wants the result
};
inline constexpr std::uint16_t last_type = static_cast<std::uint16_t>(Type::abandoned);

struct Message {
  Type type = Type::done;
  std::string payload;
  std::vector<UniqueFd> descriptors;
};

/// Called about every idle_milliseconds while a side waits for the other; false: give up waiting.
/// It may throw: a debugger's own exceptions pass through.
using Idle = std::function<bool()>;

class Channel {
public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  /// Errors: protocol (too long), io (the other side is gone), cancelled (`idle` said so).
  Result<void> send(Type type, std::string_view payload, std::span<const int> descriptors = {},
                    const Idle& idle = {});
  /// The next message. Errors: io (the other side hung up between two messages, or the system
  /// fails), protocol (says what is wrong with the message), cancelled.
  Result<Message> receive(const Idle& idle = {});
  /// Waits for something to receive, the end of the stream included; false when nothing came.
  bool wait(std::chrono::milliseconds patience);

private:
  Result<void> wait_for(short events, const Idle& idle);
  /// The number of bytes got: fewer than wanted at the end of the stream only.
  Result<std::size_t> receive_bytes(std::span<char> to, std::vector<UniqueFd>* descriptors,
                                    const Idle& idle);

  UniqueFd socket_;
};

} // namespace pygc::wire
