// The protocol between a debugger's plugin and the analysis: each payload, and both sides of a
// socket.
#include "common/protocol/wire.h"
#include "common/protocol/wire_commands.h"
#include "common/protocol/wire_maps.h"
#include "common/protocol/wire_messages.h"
#include "common/target/live/served_target.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <sstream>
#include <string>
#include <sys/socket.h>

namespace pygc {
namespace {

/// What decodes says the same again.
template <class Value>
void both_ways(std::string_view payload, Result<Value> (*decode)(std::string_view)) {
  const auto value = decode(payload);
  if (value) {
    fuzz::must(wire::encode(*value) == payload);
  }
}

void look_at_payload(std::string_view payload) {
  both_ways(payload, wire::decode_hello);
  both_ways(payload, wire::decode_read_request);
  both_ways(payload, wire::decode_threads_answer);
  both_ways(payload, wire::decode_mappings_answer);
  both_ways(payload, wire::decode_evaluate_answer);
  both_ways(payload, wire::decode_done);
  static_cast<void>(wire::decode_flag(payload));
  if (const auto table = wire::decode_commands(payload)) {
    fuzz::must(wire::encode_commands(*table) == payload);
  }
  std::istringstream maps{std::string(payload)};
  static_cast<void>(wire::parse_maps(maps));
}

/// A channel whose other side has said all that it will say.
class Said {
public:
  explicit Said(std::span<const std::uint8_t> bytes) {
    std::array<int, 2> pair{};
    fuzz::must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    other_.reset(pair[1]);
    channel = wire::Channel(UniqueFd(pair[0]));
    static_cast<void>(::send(pair[1], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    ::shutdown(pair[1], SHUT_WR);
  }

  wire::Channel channel{UniqueFd()};

private:
  UniqueFd other_;
};

void look_at_stream(std::span<const std::uint8_t> bytes) {
  Said said(bytes);
  while (const auto message = said.channel.receive()) {
    fuzz::must(message->payload.size() <= wire::max_payload);
  }
}

/// As the analysis goes on with a debugger that answers anything.
void serve(std::span<const std::uint8_t> bytes) {
  Said said(bytes);
  auto session = target::ServedSession::accept(said.channel);
  if (!session) {
    return;
  }
  static_cast<void>((*session)->threads());
  static_cast<void>((*session)->mappings());
  static_cast<void>((*session)->evaluate("x"));
  std::array<std::byte, 64> to{};
  static_cast<void>((*session)->read(0x1000, to));
  (*session)->output("text");
  static_cast<void>(target::open_served_process(**session));
}

} // namespace
} // namespace pygc

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  fuzz::Input input(data, size);
  look_at_payload(input.text());
  look_at_stream({data, size});
  serve({data, size});
  return 0;
}
