// What the native replayer's client says before and between the rounds: set-up, the image, the
// lock-in, and the memory that the replayer waits for.
#include "common/replay/image_regions.h"
#include "common/replay/native_replayer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <unistd.h>

namespace pygc::replay {
namespace {

constexpr std::uint32_t ticks_per_traversal = 4;
std::string lock_problem(const protocol::Reply& reply) {
  std::string what;
  switch (reply.failure) {
  case protocol::LockFailure::none:
    break;
  case protocol::LockFailure::no_new_privileges:
    what = "giving up privileges";
    break;
  case protocol::LockFailure::limits:
    what = "resource limits";
    break;
  case protocol::LockFailure::signals:
    what = "signal handlers";
    break;
  case protocol::LockFailure::descriptors:
    what = "closing descriptors";
    break;
  case protocol::LockFailure::seccomp:
    what = "seccomp";
    break;
  }
  return "no sandbox to run the target's code in: " + what + ": " + std::strerror(reply.error);
}

} // namespace

Result<protocol::Reply> NativeReplayer::ask_bytes(std::span<const std::byte> packet,
                                                  std::span<const int> files) {
  if (auto sent = process_.send(packet, files); !sent) {
    return std::unexpected(sent.error());
  }
  return receive_reply();
}

Result<void> NativeReplayer::bring(Address address) {
  protocol::Page page;
  const image::Region* region = memory_.find(address);
  if (region != nullptr && memory_.is_paged(*region)) {
    const auto run = memory_.pager()->bring(region->offset + (address - region->start));
    const std::uint64_t region_end = region->offset + (region->end - region->start);
    page.readable = run.readable ? 1 : 0;
    page.start = region->start + (std::max(run.start, region->offset) - region->offset);
    page.end = region->start + (std::min(run.end, region_end) - region->offset);
  }
  return process_.send(std::as_bytes(std::span(&page, 1)), {});
}

Result<protocol::Reply> NativeReplayer::receive_reply() {
  protocol::Reply reply;
  for (;;) {
    auto done = process_.receive(std::as_writable_bytes(std::span(&reply, 1)),
                                 [this] { return window_.progress(); });
    if (!done) {
      return std::unexpected(done.error());
    }
    if (reply.kind != protocol::Kind::need || memory_.pager() == nullptr) {
      break;
    }
    if (auto brought = bring(reply.next); !brought) {
      return std::unexpected(brought.error());
    }
  }
  if (reply.kind != protocol::Kind::reply) {
    return std::unexpected(
        process_.give_up({ErrorKind::replayer, 0, "the replayer answers another question"}));
  }
  if (reply.failure != protocol::LockFailure::none) {
    return std::unexpected(process_.give_up({ErrorKind::replayer, 0, lock_problem(reply)}));
  }
  return reply;
}

Result<void> NativeReplayer::set_up(const Options& options) {
  visit_decref_ = options.visit_decref;
  lent_ = options.thread_state;
  protocol::Setup setup;
  setup.window_size = window_.size();
  setup.thread_pointer = options.thread_pointer;
  const auto budget = std::chrono::microseconds(options.traversal_budget).count();
  setup.tick_microseconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(budget / ticks_per_traversal, 1000));
  setup.ticks_per_traversal = ticks_per_traversal;
  setup.parent = ::getpid();
  setup.shape = options.shape;
  setup.shape.tp_flags_have_gc_bit &= 63U;
  setup.shape.tp_flags_type_bit &= 63U;
  std::ranges::copy_n(options.fatal_functions.begin(),
                      static_cast<std::ptrdiff_t>(
                          std::min(options.fatal_functions.size(), setup.fatal_functions.size())),
                      setup.fatal_functions.begin());
  setup.traversal_instructions = std::max<std::uint64_t>(options.traversal_instructions, 1);
  const int file = window_.fd();
  auto reply = ask(setup, std::span(&file, 1));
  return reply ? Result<void>{} : std::unexpected(reply.error());
}

Result<void> NativeReplayer::map(const image::AddressSpace& memory, Writable writable,
                                 std::span<const image::Range> idle) {
  for (const auto& packet : image_packets(memory, writable, idle)) {
    auto reply = ask_bytes(packet.bytes, packet.files);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    failed_regions_ = reply->failed_regions;
  }
  return {};
}

Result<void> NativeReplayer::start_lock() {
  const protocol::Lock packet;
  return process_.send(std::as_bytes(std::span(&packet, 1)), {});
}

Result<void> NativeReplayer::finish_lock() {
  if (locked_) {
    return {};
  }
  auto reply = receive_reply();
  if (!reply) {
    return std::unexpected(reply.error());
  }
  failed_regions_ = reply->failed_regions;
  locked_ = true;
  if (lent_.at == 0) {
    return {};
  }
  protocol::Command command; // of no objects
  command.kind = protocol::Kind::clear;
  command.answers[0] = {.function = lent_.at, .value = lent_.value};
  auto lent = ask(command);
  return lent ? Result<void>{} : std::unexpected(lent.error());
}

} // namespace pygc::replay
