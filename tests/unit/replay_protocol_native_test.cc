// The native replayer and each packet of its protocol: whole, cut short, lying, out of turn.
#include "tests/unit/support/broken_packets.h"
#include "tests/unit/support/protocol_suite.h"

namespace pygc::replay::testing {
namespace {

struct Native {
  static constexpr const char* name = "pygc-replayer-native";
};

INSTANTIATE_TYPED_TEST_SUITE_P(Native, ReplayerProtocol, Native);

class NativeBrokenPackets : public ::testing::TestWithParam<BrokenPacket> {};

TEST_P(NativeBrokenPackets, EndIt) {
  Dialogue dialogue(Native::name);
  EXPECT_EQ(status_after(dialogue, GetParam()), protocol::exit_protocol);
}

INSTANTIATE_TEST_SUITE_P(All, NativeBrokenPackets,
                         ::testing::ValuesIn(broken_packets({
                             {"WalkCutShort", &Dialogue::set_up,
                              [](Dialogue&) { return packet_of(protocol::Walk{}).resized(-4); }},
                             {"WalkTooLong", &Dialogue::set_up,
                              [](Dialogue&) { return packet_of(protocol::Walk{}).resized(4); }},
                             {"WalkAmongCommands", &Dialogue::prepare,
                              [](Dialogue&) { return packet_of(protocol::Walk{}); }},
                             {"CommandToTrace", &Dialogue::prepare, &any_command<Kind::trace>},
                         })),
                         [](const auto& param) { return param.param.name; });

class NativeProtocol : public ::testing::Test {
protected:
  /// A list of both objects; room for all that a walk may find.
  protocol::Walk walk() {
    Image& image = dialogue.image;
    const Address first = dialogue.first - 16;
    const Address second = dialogue.second - 16;
    link(head, first);
    link(first, second);
    link(second, head);
    image.store(dialogue.first, 1);
    image.store(dialogue.second, 2);
    protocol::Walk walk;
    walk.list_count = 1;
    list = dialogue.put({listed});
    walk.lists = list;
    walk.types = room_for<protocol::WalkedType>();
    walk.type_capacity = Dialogue::room;
    walk.samples = room_for<protocol::WalkedSample>();
    walk.sample_capacity = Dialogue::room;
    walk.outcome = outcome_at_ = room_for<protocol::WalkOutcome>();
    walk.object_capacity = Dialogue::room;
    walk.sample_size = 1;
    walk.refcount_mask = ~std::uint64_t{0};
    walk.tp_base = 256;
    return walk;
  }

  protocol::WalkOutcome outcome() const {
    return dialogue.window.get<protocol::WalkOutcome>(outcome_at_, 0);
  }

  protocol::Command walked_command(Kind kind) const {
    protocol::Command command = dialogue.command(kind);
    command.objects = protocol::walked_objects;
    return command;
  }

  protocol::Scan scan() const {
    EXPECT_EQ(dialogue.process.ask(packet_of(walked_command(Kind::scan))).next, 2U);
    return dialogue.record<protocol::Scan>();
  }

  Dialogue dialogue{Native::name};
  const Address head = dialogue.image.reserve(16);
  protocol::WalkedList listed{.head = head, .collected = 1};
  std::uint64_t list = 0;

private:
  void link(Address from, Address to) {
    dialogue.image.store(from, to);     // _gc_next
    dialogue.image.store(to + 8, from); // _gc_prev
  }
  template <class T> std::uint64_t room_for() {
    return dialogue.window.allocate(Dialogue::room, sizeof(T)).value();
  }

  std::uint64_t outcome_at_ = 0;
};

TEST_F(NativeProtocol, WalksAndAnswersForWhatItHasFound) {
  const protocol::Walk request = walk();
  dialogue.map();
  EXPECT_EQ(dialogue.process.ask(packet_of(request)).next, 2U);
  EXPECT_EQ(outcome().stop, protocol::WalkStop::none);
  EXPECT_EQ(outcome().type_count, 2U);
  EXPECT_EQ(outcome().sample_count, 2U);
  EXPECT_EQ(outcome().refcounts, 3U);
  EXPECT_EQ(dialogue.window.get<protocol::WalkedList>(list, 0).count, 2U);
  dialogue.lock();
  EXPECT_EQ(dialogue.process.ask(packet_of(walked_command(Kind::traverse))).traversed, 2U);
  EXPECT_EQ(scan().refcounts, 3U);
  EXPECT_EQ(scan().gc_refs, 2U); // one of three references is a visit
  EXPECT_EQ(scan().lost, 0U);
  EXPECT_EQ(scan().negative, 0U);
  EXPECT_EQ(dialogue.process.ask(packet_of(walked_command(Kind::inspect))).traversed, 2U);
  EXPECT_EQ(scan().gc_refs, 2U); // that only looked

  protocol::Command find = walked_command(Kind::find);
  find.objects = dialogue.put({dialogue.second, dialogue.first});
  EXPECT_EQ(dialogue.process.ask(packet_of(find)).incidents, 0U);
  EXPECT_EQ(dialogue.record<std::uint64_t>(0), 1U);
  EXPECT_EQ(dialogue.record<std::uint64_t>(1), 1U);
}

TEST_F(NativeProtocol, ListsWhatItHasWalkedAsFarAsThereIsRoom) {
  const protocol::Walk request = walk();
  dialogue.map();
  dialogue.process.ask(packet_of(request));
  dialogue.lock();
  dialogue.process.ask(packet_of(walked_command(Kind::traverse)));
  protocol::Command list_one = walked_command(Kind::list);
  list_one.record_capacity = 1;
  auto reply = dialogue.process.ask(packet_of(list_one));
  EXPECT_EQ(reply.next, 1U);
  EXPECT_EQ(reply.records, 1U);
  EXPECT_EQ(dialogue.record<protocol::ListedObject>().object, dialogue.first);
  EXPECT_EQ(dialogue.record<protocol::ListedObject>().refcount, 1U);
  list_one.first = 1;
  reply = dialogue.process.ask(packet_of(list_one));
  EXPECT_EQ(reply.next, 2U);
  EXPECT_EQ(dialogue.record<protocol::ListedObject>().object, dialogue.second);
  EXPECT_EQ(dialogue.record<protocol::ListedObject>().refcount, 2U);
  EXPECT_EQ(dialogue.record<protocol::ListedObject>().gc_refs, 1);
}

TEST_F(NativeProtocol, StopsAWalkAtAListOfNoTarget) {
  protocol::Walk request = walk();
  listed.head = protocol::own_start;
  request.lists = dialogue.put({listed});
  dialogue.map();
  EXPECT_EQ(dialogue.process.ask(packet_of(request)).next, 0U);
  EXPECT_EQ(outcome().stop, protocol::WalkStop::link);
}

TEST_F(NativeProtocol, StopsAWalkThatFindsMoreThanThereIsRoomFor) {
  protocol::Walk request = walk();
  request.object_capacity = 1;
  dialogue.map();
  dialogue.process.ask(packet_of(request));
  EXPECT_EQ(outcome().stop, protocol::WalkStop::capacity);
}

TEST_F(NativeProtocol, ListsEdges) {
  dialogue.prepare();
  protocol::Command update = dialogue.command(Kind::update);
  const auto count = [](std::uint64_t index) {
    return index << protocol::edge_index_shift | protocol::edge_count;
  };
  update.counts = dialogue.put({count(0), count(1)});
  EXPECT_EQ(dialogue.process.ask(packet_of(update)).next, 2U);
  EXPECT_EQ(dialogue.ask(Kind::edges).records, 1U);
  EXPECT_EQ(dialogue.record<protocol::EdgeRecord>().container, 0U);
  EXPECT_EQ(dialogue.record<protocol::EdgeRecord>().object, 1U);
}

// A region that lies on boundaries of smaller pages alone cannot come page by page.
TEST(NativePageSize, IsTheKernels) {
  const auto failed_with = [](std::optional<std::uint64_t> page_size) {
    Dialogue dialogue(Native::name, page_size);
    dialogue.set_up();
    constexpr std::uint64_t start = data_base + 0x1000;
    const protocol::RegionRecord region{.start = start,
                                        .end = start + area,
                                        .protection = PROT_READ,
                                        .source = protocol::Source::demand};
    return dialogue.process.ask(Dialogue::map_packet({region}, {dialogue.window.fd()}))
        .failed_regions;
  };
  EXPECT_EQ(failed_with(0x1000), 0U);
  EXPECT_EQ(failed_with(0x10000), 1U);
}

} // namespace
} // namespace pygc::replay::testing
