// A replayer and the packets that bring it, step by step, to where a test wants it: with a target
// of two objects, the first of which visits the second once.
#pragma once

#include "common/replay/shared_window.h"
#include "tests/unit/replay_emulated_fixture.h"
#include "tests/unit/support/raw_replayer.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pygc::replay::testing {

using protocol::Kind;

class Dialogue {
public:
  explicit Dialogue(const std::string& program, std::optional<std::uint64_t> page_size = {})
      : process(program, page_size), window(SharedWindow::create(std::uint64_t{1} << 20).value()) {
    image.store(slot, second);
    objects = put({first, second});
    counts = put<std::uint64_t>({1, 2});
    functions = put<std::uint64_t>({0, 0});
    incidents = window.allocate(room, sizeof(protocol::IncidentRecord)).value();
    records = window.allocate(room, sizeof(protocol::TraceRecord)).value();
  }

  /// An array in the window; its offset.
  template <class T> std::uint64_t put(std::initializer_list<T> values) {
    return window.put(std::span<const T>(values.begin(), values.size())).value();
  }

  protocol::Setup setup() const {
    const ObjectShape shape;
    protocol::Setup setup;
    setup.window_size = window.size();
    setup.tick_microseconds = 100'000;
    setup.ticks_per_traversal = 4;
    setup.parent = ::getpid();
    setup.shape = shape;
    setup.traversal_instructions = 50'000;
    return setup;
  }
  RawPacket setup_packet() const { return packet_of(setup(), {window.fd()}); }

  static protocol::RegionRecord zeros(Address start, std::uint64_t size) {
    return {.start = start, .end = start + size, .protection = PROT_READ | PROT_WRITE};
  }
  static RawPacket map_packet(std::vector<protocol::RegionRecord> regions,
                              std::vector<int> files = {}) {
    RawPacket packet = packet_of(protocol::Map{.count = static_cast<std::uint32_t>(regions.size())},
                                 std::move(files));
    const auto bytes = std::as_bytes(std::span(regions));
    packet.bytes.insert(packet.bytes.end(), bytes.begin(), bytes.end());
    return packet;
  }
  /// Code and data.
  RawPacket image_packet(protocol::Source code_source = protocol::Source::file) {
    std::vector<protocol::RegionRecord> regions;
    std::vector<int> files;
    for (const image::Region& region : image.memory().regions()) {
      if (region.fd < 0) {
        continue;
      }
      const bool code = region.permissions.execute;
      regions.push_back({.start = region.start,
                         .end = region.end,
                         .offset = region.offset,
                         .file = static_cast<std::uint32_t>(files.size()),
                         .protection = static_cast<std::uint32_t>(code ? PROT_READ | PROT_EXEC
                                                                       : PROT_READ | PROT_WRITE),
                         .source = code ? code_source : protocol::Source::file});
      files.push_back(region.fd);
    }
    return map_packet(regions, files);
  }

  protocol::Command command(Kind kind) const {
    protocol::Command command;
    command.kind = kind;
    command.end = 2;
    command.object_count = 2;
    command.objects = objects;
    command.counts = kind == Kind::trace ? functions : counts;
    command.incidents = incidents;
    command.incident_capacity = room;
    command.records = records;
    command.record_capacity = room;
    return command;
  }

  protocol::Reply ask(Kind kind) const { return process.ask(packet_of(command(kind))); }
  template <class T> T record(std::uint64_t index = 0) const {
    return window.get<T>(records, index);
  }
  protocol::IncidentRecord incident() const {
    return window.get<protocol::IncidentRecord>(incidents, 0);
  }
  std::vector<std::int64_t> gc_refs() const {
    return {window.get<std::int64_t>(counts, 0), window.get<std::int64_t>(counts, 1)};
  }

  void set_up() { EXPECT_TRUE(is_plain(process.ask(setup_packet()))); }
  void map(protocol::Source code_source = protocol::Source::file) {
    set_up();
    EXPECT_TRUE(is_plain(process.ask(image_packet(code_source))));
  }
  void lock() const { EXPECT_TRUE(is_plain(process.ask(packet_of(protocol::Lock{})))); }
  /// Commands may follow.
  void prepare() {
    map();
    lock();
  }

  /// An answer without complaints.
  static bool is_plain(const protocol::Reply& reply) {
    return reply.kind == Kind::reply && reply.failure == protocol::LockFailure::none &&
           reply.error == 0 && reply.failed_regions == 0;
  }

  static constexpr std::uint64_t room = 64; // records of each kind

  Image image;
  const Address second = image.add_object_with(ret_zero);
  const Address slot = image.reserve(8);
  const Address first = image.add_object_with(visiting_slots({slot}));
  RawReplayer process;
  SharedWindow window;
  // Offsets in the window.
  std::uint64_t objects = 0;
  std::uint64_t counts = 0;
  std::uint64_t functions = 0;
  std::uint64_t incidents = 0;
  std::uint64_t records = 0;
};

} // namespace pygc::replay::testing
