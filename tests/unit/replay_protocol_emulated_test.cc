// The emulated replayer and each packet of its protocol: whole, cut short, lying, out of turn.
#include "tests/unit/support/broken_packets.h"
#include "tests/unit/support/protocol_suite.h"

namespace pygc::replay::testing {
namespace {

struct Emulated {
  static constexpr const char* name = "pygc-replayer-emulated";
};

INSTANTIATE_TYPED_TEST_SUITE_P(Emulated, ReplayerProtocol, Emulated);

class EmulatedBrokenPackets : public ::testing::TestWithParam<BrokenPacket> {};

TEST_P(EmulatedBrokenPackets, EndIt) {
  Dialogue dialogue(Emulated::name);
  EXPECT_EQ(status_after(dialogue, GetParam()), protocol::exit_protocol);
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedBrokenPackets,
                         ::testing::ValuesIn(broken_packets({
                             {"WalkBeforeLock", &Dialogue::set_up,
                              [](Dialogue&) { return packet_of(protocol::Walk{}); }},
                             {"CommandForEdges", &Dialogue::prepare, &any_command<Kind::edges>},
                             {"CommandToFind", &Dialogue::prepare, &any_command<Kind::find>},
                             {"CommandToScan", &Dialogue::prepare, &any_command<Kind::scan>},
                             {"CommandToInspect", &Dialogue::prepare, &any_command<Kind::inspect>},
                         })),
                         [](const auto& param) { return param.param.name; });

TEST(EmulatedProtocol, TracesVisitsToTheirSlots) {
  Dialogue dialogue(Emulated::name);
  dialogue.prepare();
  const auto reply = dialogue.ask(Kind::trace);
  EXPECT_EQ(reply.next, 2U);
  EXPECT_EQ(reply.traversed, 2U);
  EXPECT_GT(reply.instructions, 10U);
  ASSERT_EQ(reply.records, 1U);
  const auto record = dialogue.record<protocol::TraceRecord>();
  EXPECT_EQ(record.object, dialogue.second);
  EXPECT_EQ(record.slot, dialogue.slot);
  EXPECT_EQ(record.request, 0U);
  EXPECT_EQ(record.other, 0U);
}

TEST(EmulatedProtocol, TracesNothingWithoutRoom) {
  Dialogue dialogue(Emulated::name);
  dialogue.prepare();
  protocol::Command command = dialogue.command(Kind::trace);
  command.incident_capacity = protocol::max_incidents_per_trace - 1;
  const auto reply = dialogue.process.ask(packet_of(command));
  EXPECT_EQ(reply.next, 0U);
  EXPECT_EQ(reply.records, 0U);
}

} // namespace
} // namespace pygc::replay::testing
