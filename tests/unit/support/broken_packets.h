// Packets that no replayer understands, each sent where the one before it was understood.
#pragma once

#include "tests/unit/support/replayer_dialogue.h"

#include <ostream>
#include <string>
#include <vector>

namespace pygc::replay::testing {

struct BrokenPacket {
  std::string name;
  void (Dialogue::*prepare)() = nullptr; // null: it is the first packet
  RawPacket (*make)(Dialogue& dialogue) = nullptr;
};

inline void PrintTo(const BrokenPacket& packet, std::ostream* out) {
  *out << packet.name;
}

inline constexpr auto unknown_kind = static_cast<Kind>(99);

/// A command, or anything of a command's size.
template <Kind kind> RawPacket any_command(Dialogue& dialogue) {
  return packet_of(dialogue.command(kind));
}

inline RawPacket region_packet(std::uint32_t count, std::size_t records) {
  RawPacket packet = Dialogue::map_packet(
      std::vector<protocol::RegionRecord>(records, Dialogue::zeros(bss_base, area)));
  const protocol::Map map{.count = count};
  std::memcpy(packet.bytes.data(), &map, sizeof(map));
  return packet;
}

/// In place of the set-up.
inline std::vector<BrokenPacket> broken_first_packets() {
  return {
      {"SetupCutShort", nullptr, [](Dialogue& d) { return d.setup_packet().resized(-1); }},
      {"SetupCutInItsKind", nullptr, [](Dialogue&) { return RawPacket{{std::byte{1}}}; }},
      {"SetupTooLong", nullptr, [](Dialogue& d) { return d.setup_packet().resized(8); }},
      {"SetupOfAnotherVersion", nullptr,
       [](Dialogue& d) {
         protocol::Setup setup = d.setup();
         ++setup.version;
         return packet_of(setup, {d.window.fd()});
       }},
      {"SetupWithoutWindow", nullptr, [](Dialogue& d) { return packet_of(d.setup()); }},
      {"SetupWithTwoWindows", nullptr,
       [](Dialogue& d) { return packet_of(d.setup(), {d.window.fd(), d.window.fd()}); }},
      {"SetupWithAWindowOfNoSize", nullptr,
       [](Dialogue& d) {
         protocol::Setup setup = d.setup();
         setup.window_size = 0;
         return packet_of(setup, {d.window.fd()});
       }},
      {"SetupWithTooLargeAWindow", nullptr,
       [](Dialogue& d) {
         protocol::Setup setup = d.setup();
         setup.window_size = protocol::max_window_size + 1;
         return packet_of(setup, {d.window.fd()});
       }},
      {"SetupOfAnUnknownKind", nullptr,
       [](Dialogue& d) {
         protocol::Setup setup = d.setup();
         setup.kind = unknown_kind;
         return packet_of(setup, {d.window.fd()});
       }},
      {"MapBeforeSetup", nullptr, [](Dialogue& d) { return d.image_packet(); }},
      {"LockBeforeSetup", nullptr, [](Dialogue&) { return packet_of(protocol::Lock{}); }},
      {"CommandBeforeSetup", nullptr, &any_command<Kind::update>},
  };
}

/// Where regions are expected.
inline std::vector<BrokenPacket> broken_second_packets() {
  constexpr auto prepare = [](BrokenPacket packet) {
    packet.prepare = &Dialogue::set_up;
    return packet;
  };
  std::vector<BrokenPacket> packets = {
      {"SetupTwice", nullptr, [](Dialogue& d) { return d.setup_packet(); }},
      {"MapCutInItsHead", nullptr,
       [](Dialogue&) { return packet_of(protocol::Map{}).resized(-2); }},
      {"MapThatCountsMore", nullptr, [](Dialogue&) { return region_packet(2, 1); }},
      {"MapThatCountsFewer", nullptr, [](Dialogue&) { return region_packet(1, 2); }},
      {"MapThatCountsMany", nullptr, [](Dialogue&) { return region_packet(~0U, 1); }},
      {"MapCutInARecord", nullptr, [](Dialogue&) { return region_packet(1, 1).resized(-8); }},
      {"MapOfMoreThanMayBe", nullptr,
       [](Dialogue&) {
         constexpr std::size_t most = protocol::max_regions_per_packet;
         return region_packet(most, most + 1);
       }},
      {"MapOfAFileThatDidNotCome", nullptr,
       [](Dialogue&) {
         protocol::RegionRecord region = Dialogue::zeros(bss_base, area);
         region.source = protocol::Source::file;
         return Dialogue::map_packet({region});
       }},
      {"LockCutShort", nullptr, [](Dialogue&) { return packet_of(protocol::Lock{}).resized(-2); }},
      {"LockTooLong", nullptr, [](Dialogue&) { return packet_of(protocol::Lock{}).resized(4); }},
      {"CommandBeforeLock", nullptr, &any_command<Kind::update>},
      {"PageThatNobodyNeeds", nullptr, [](Dialogue&) { return packet_of(protocol::Page{}); }},
      {"PacketOfAnUnknownKind", nullptr, [](Dialogue&) { return packet_of(unknown_kind); }},
  };
  for (BrokenPacket& packet : packets) {
    packet = prepare(packet);
  }
  return packets;
}

/// Where commands are expected.
inline std::vector<BrokenPacket> broken_commands() {
  constexpr auto prepare = &Dialogue::prepare;
  return {
      {"CommandCutShort", prepare,
       [](Dialogue& d) { return any_command<Kind::update>(d).resized(-1); }},
      {"CommandTooLong", prepare,
       [](Dialogue& d) { return any_command<Kind::update>(d).resized(1); }},
      {"CommandThatWatchesTooMany", prepare,
       [](Dialogue& d) {
         protocol::Command command = d.command(Kind::traverse);
         command.watched_count = protocol::max_watched + 1;
         return packet_of(command);
       }},
      {"SetupAmongCommands", prepare, [](Dialogue& d) { return packet_of(d.setup()); }},
      {"MapAmongCommands", prepare, [](Dialogue&) { return region_packet(1, 1); }},
      {"LockTwice", prepare, [](Dialogue&) { return packet_of(protocol::Lock{}); }},
      {"PageAmongCommands", prepare, [](Dialogue&) { return packet_of(protocol::Page{}); }},
      {"CommandToSetUp", prepare, &any_command<Kind::setup>},
      {"CommandToMap", prepare, &any_command<Kind::map>},
      {"CommandToLock", prepare, &any_command<Kind::lock>},
      {"CommandToReply", prepare, &any_command<Kind::reply>},
      {"CommandToNeed", prepare, &any_command<Kind::need>},
      {"CommandToPage", prepare, &any_command<Kind::page>},
      {"CommandToWalk", prepare, &any_command<Kind::walk>},
      {"CommandOfNoKind", prepare, &any_command<Kind{}>},
      {"CommandOfAnUnknownKind", prepare, &any_command<unknown_kind>},
  };
}

/// All of these, and those that one replayer alone does not understand.
inline std::vector<BrokenPacket> broken_packets(std::vector<BrokenPacket> further) {
  for (const auto& packets : {broken_first_packets(), broken_second_packets(), broken_commands()}) {
    further.insert(further.end(), packets.begin(), packets.end());
  }
  return further;
}

inline int status_after(Dialogue& dialogue, const BrokenPacket& broken) {
  if (broken.prepare != nullptr) {
    (dialogue.*broken.prepare)();
  }
  dialogue.process.send(broken.make(dialogue));
  return dialogue.process.end();
}

} // namespace pygc::replay::testing
