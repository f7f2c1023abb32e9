#include "replayer/shared/demand.h"

#include "replayer/shared/packet.h"

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;

// What was brought last: a fault there once more is one that more memory does not mend.
constinit protocol::Page last_brought;

bool is_last(std::uint64_t address) {
  return address >= last_brought.start && address < last_brought.end;
}

} // namespace

const protocol::Page* bring_page(std::uint64_t address, std::uint64_t start, std::uint64_t end) {
  if (is_last(address)) {
    return nullptr;
  }
  protocol::Reply need;
  need.kind = protocol::Kind::need;
  need.next = address;
  send_reply(need);
  protocol::Page page;
  if (!read_packet(page) || page.kind != protocol::Kind::page) {
    broken_protocol();
  }
  last_brought = page;
  const bool sane = page.start >= start && page.end <= end && is_last(address);
  if (page.readable != 0 && !sane) {
    broken_protocol();
  }
  if (!sane) { // nothing is known but that this cannot be had
    last_brought = {.readable = 0, .start = address, .end = address + 1};
  }
  return last_brought.readable != 0 ? &last_brought : nullptr;
}

bool is_known_missing(std::uint64_t address) {
  return last_brought.readable == 0 && is_last(address);
}

} // namespace pygc::replayer
