// What a replayer goes through with the analysis: set-up, the regions of the target, the lock-in,
// then commands until the control socket closes. What is done at each step is the replayer's own.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/shared/own_range.h"
#include "replayer/shared/packet.h"
#include "replayer/shared/sandbox.h"
#include "replayer/shared/system.h"

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace pygc::replayer {

/// `set_up` gets the window's descriptor and does not return when there is no window. `map` gets
/// regions that can be mapped, ascending, with a descriptor or -1, and says whether each is there.
/// `release` gets each descriptor of a packet that was dealt with. `answer` carries out a packet,
/// other than these, that may come before the lock-in; false: there is none such. The results of
/// `set_up` and `lock` say whether there is a sandbox: there is no running without. `carry_out`
/// does not return when it knows no such command.
template <class T>
concept ConversingReplayer =
    requires(T replayer, const replay::protocol::Setup& setup,
             const replay::protocol::RegionRecord& region, const Packet& packet, int fd,
             std::uint64_t& failed_regions, replay::protocol::Command& command) {
      { replayer.set_up(setup, fd) } -> std::same_as<LockResult>;
      { replayer.map(region, fd) } -> std::same_as<bool>;
      { replayer.release(fd) } -> std::same_as<void>;
      { replayer.answer(packet, failed_regions) } -> std::same_as<bool>;
      { replayer.lock(failed_regions) } -> std::same_as<LockResult>;
      { replayer.command() } -> std::same_as<replay::protocol::Command&>;
      { replayer.carry_out() } -> std::same_as<replay::protocol::Reply>;
    };

/// Says what became of the sandbox; ends the process when there is none.
inline void send_lock_result(const LockResult& result, std::uint64_t failed_regions) {
  replay::protocol::Reply reply;
  reply.failure = result.failure;
  reply.error = result.error;
  reply.failed_regions = failed_regions;
  send_reply(reply);
  if (result.failure != replay::protocol::LockFailure::none) {
    system::end(replay::protocol::exit_done);
  }
}

template <ConversingReplayer Replayer> class Conversation {
public:
  Conversation(Replayer& replayer, Packet& packet) : replayer_(replayer), packet_(packet) {}

  [[noreturn]] void run() {
    set_up();
    map_and_lock();
    for (;;) {
      replay::protocol::Command& command = replayer_.command();
      if (!read_packet(command) || command.watched_count > replay::protocol::max_watched) {
        broken_protocol();
      }
      send_reply(replayer_.carry_out());
    }
  }

private:
  void set_up() {
    packet_.receive();
    if (!packet_.is<replay::protocol::Setup>(replay::protocol::Kind::setup) ||
        packet_.file_count() != 1) {
      broken_protocol();
    }
    const auto setup = packet_.get<replay::protocol::Setup>();
    if (setup.version != replay::protocol::version || setup.window_size == 0 ||
        setup.window_size > replay::protocol::max_window_size) {
      broken_protocol();
    }
    const LockResult result = replayer_.set_up(setup, packet_.file(0));
    release_files();
    send_lock_result(result, 0);
  }

  void map_and_lock() {
    for (packet_.receive(); !packet_.is<replay::protocol::Lock>(replay::protocol::Kind::lock);
         packet_.receive()) {
      if (packet_.begins_with<replay::protocol::Map>(replay::protocol::Kind::map)) {
        map();
      } else if (!replayer_.answer(packet_, failed_regions_)) {
        broken_protocol();
      }
    }
    const LockResult result = replayer_.lock(failed_regions_);
    send_lock_result(result, failed_regions_);
  }

  void map() {
    using Record = replay::protocol::RegionRecord;
    const auto map = packet_.get<replay::protocol::Map>();
    if (packet_.size() != sizeof(map) + map.count * sizeof(Record)) {
      broken_protocol();
    }
    for (std::uint32_t i = 0; i < map.count; ++i) {
      const auto region = packet_.get<Record>(sizeof(map) + i * sizeof(Record));
      const bool from_file = region.source != replay::protocol::Source::zero;
      if (from_file && region.file >= packet_.file_count()) {
        broken_protocol();
      }
      const bool sane = can_be_mapped(region) && region.start >= regions_end_;
      if (!sane || !replayer_.map(region, from_file ? packet_.file(region.file) : -1)) {
        ++failed_regions_;
      }
      regions_end_ = sane ? region.end : regions_end_;
    }
    release_files();
    replay::protocol::Reply reply;
    reply.failed_regions = failed_regions_;
    send_reply(reply);
  }

  void release_files() {
    for (std::size_t i = 0; i < packet_.file_count(); ++i) {
      replayer_.release(packet_.file(i));
    }
  }

  Replayer& replayer_;
  Packet& packet_;
  std::uint64_t failed_regions_ = 0;
  std::uint64_t regions_end_ = 0; // of those that came so far, which ascend
};

} // namespace pygc::replayer
