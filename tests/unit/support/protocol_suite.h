// What every replayer answers: a suite that each instantiates, with a type that names its program.
#pragma once

#include "tests/unit/support/replayer_dialogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::replay::testing {

using ::testing::ElementsAre;

template <class Program> class ReplayerProtocol : public ::testing::Test {
protected:
  Dialogue dialogue{Program::name};
};

TYPED_TEST_SUITE_P(ReplayerProtocol);

TYPED_TEST_P(ReplayerProtocol, EndsWhenNobodySpeaksToIt) {
  EXPECT_EQ(this->dialogue.process.end_after_close(), protocol::exit_done);
}

TYPED_TEST_P(ReplayerProtocol, EndsAfterItsSetUp) {
  this->dialogue.set_up();
  EXPECT_EQ(this->dialogue.process.end_after_close(), protocol::exit_done);
}

TYPED_TEST_P(ReplayerProtocol, EndsAfterItsLock) {
  this->dialogue.prepare();
  EXPECT_EQ(this->dialogue.process.end_after_close(), protocol::exit_done);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenAnotherHasStartedIt) {
  protocol::Setup setup = this->dialogue.setup();
  ++setup.parent;
  this->dialogue.process.send(packet_of(setup, {this->dialogue.window.fd()}));
  EXPECT_EQ(this->dialogue.process.end(), protocol::exit_done);
}

TYPED_TEST_P(ReplayerProtocol, CountsRegionsThatNoTargetHas) {
  Dialogue& d = this->dialogue;
  d.set_up();
  std::uint64_t failed = 0;
  for (const auto& region :
       {Dialogue::zeros(bss_base, 0), Dialogue::zeros(protocol::own_start, area),
        Dialogue::zeros(protocol::own_end - area, 2 * area),
        Dialogue::zeros(0x7fff'ffff'0000, 2 * area)}) {
    EXPECT_EQ(d.process.ask(Dialogue::map_packet({region})).failed_regions, ++failed);
  }
  EXPECT_EQ(d.process.ask(Dialogue::map_packet({})).failed_regions, failed);
  EXPECT_EQ(d.process.ask(packet_of(protocol::Lock{})).failed_regions, failed);
}

TYPED_TEST_P(ReplayerProtocol, CountsRegionsThatDoNotAscend) {
  Dialogue& d = this->dialogue;
  d.set_up();
  const auto reply = d.process.ask(
      Dialogue::map_packet({Dialogue::zeros(bss_base, area), Dialogue::zeros(data_base, area),
                            Dialogue::zeros(bss_base, area), Dialogue::zeros(unmapped, area)}));
  EXPECT_EQ(reply.failed_regions, 2U);
}

TYPED_TEST_P(ReplayerProtocol, UpdatesTraversesAndCollects) {
  Dialogue& d = this->dialogue;
  d.prepare();
  EXPECT_EQ(d.ask(Kind::update).next, 2U);
  const auto traversed = d.ask(Kind::traverse);
  EXPECT_TRUE(Dialogue::is_plain(traversed));
  EXPECT_EQ(traversed.next, 2U);
  EXPECT_EQ(traversed.traversed, 2U);
  EXPECT_EQ(traversed.incidents, 0U);
  EXPECT_EQ(d.ask(Kind::collect).next, 2U);
  EXPECT_THAT(d.gc_refs(), ElementsAre(1, 1)); // one of the second's two references is a visit
}

TYPED_TEST_P(ReplayerProtocol, GoesOnWithTheRestOfARange) {
  Dialogue& d = this->dialogue;
  d.prepare();
  d.ask(Kind::update);
  protocol::Command command = d.command(Kind::traverse);
  command.first = 1;
  EXPECT_EQ(d.process.ask(packet_of(command)).traversed, 1U);
  d.ask(Kind::collect);
  EXPECT_THAT(d.gc_refs(), ElementsAre(1, 2)); // the first was not traversed
}

TYPED_TEST_P(ReplayerProtocol, AttributesDecrementsOfWatchedObjects) {
  Dialogue& d = this->dialogue;
  d.prepare();
  d.ask(Kind::update);
  protocol::Command command = d.command(Kind::traverse);
  command.watched_count = 1;
  command.watched = d.put<std::uint32_t>({1});
  EXPECT_EQ(d.process.ask(packet_of(command)).records, 1U);
  const auto record = d.template record<protocol::DecrementRecord>();
  EXPECT_EQ(record.container, 0U);
  EXPECT_EQ(record.watched, 1U);
  EXPECT_EQ(record.visits, 1U);
}

TYPED_TEST_P(ReplayerProtocol, ClearsWhatAnUpdateHasSet) {
  Dialogue& d = this->dialogue;
  d.prepare();
  d.ask(Kind::update);
  EXPECT_EQ(d.ask(Kind::clear).next, 2U);
  d.ask(Kind::collect);
  EXPECT_THAT(d.gc_refs(), ElementsAre(protocol::gc_refs_lost, protocol::gc_refs_lost));
}

TYPED_TEST_P(ReplayerProtocol, ListsVisits) {
  Dialogue& d = this->dialogue;
  d.prepare();
  const auto reply = d.ask(Kind::visits);
  EXPECT_EQ(reply.next, 2U);
  ASSERT_EQ(reply.records, 1U);
  const auto record = d.template record<protocol::VisitRecord>();
  EXPECT_EQ(record.object, d.second);
  EXPECT_EQ(record.container, 0U);
}

TYPED_TEST_P(ReplayerProtocol, StopsWhereTheBufferIsFull) {
  Dialogue& d = this->dialogue;
  d.prepare();
  protocol::Command command = d.command(Kind::visits);
  command.record_capacity = 0;
  const auto reply = d.process.ask(packet_of(command));
  EXPECT_EQ(reply.next, 0U);
  EXPECT_EQ(reply.records, 0U);
}

/// With code that comes on demand: the traversal asks for it.
inline std::uint64_t ask_for_code(Dialogue& d) {
  d.map(protocol::Source::demand);
  d.lock();
  d.ask(Kind::update);
  const auto need = d.process.ask(packet_of(d.command(Kind::traverse)));
  EXPECT_EQ(need.kind, Kind::need);
  EXPECT_GE(need.next, code_base);
  EXPECT_LT(need.next, code_base + area);
  return need.next;
}

TYPED_TEST_P(ReplayerProtocol, GoesOnWithThePageThatItNeeds) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  const auto reply = d.process.ask(
      packet_of(protocol::Page{.readable = 1, .start = code_base, .end = code_base + area}));
  EXPECT_EQ(reply.kind, Kind::reply);
  EXPECT_EQ(reply.traversed, 2U);
  EXPECT_EQ(reply.incidents, 0U);
}

TYPED_TEST_P(ReplayerProtocol, TakesAPageThatCannotBeHadForAFault) {
  Dialogue& d = this->dialogue;
  const std::uint64_t needed = ask_for_code(d);
  const auto reply = d.process.ask(
      packet_of(protocol::Page{.readable = 0, .start = code_base, .end = code_base + area}));
  EXPECT_EQ(reply.kind, Kind::reply);
  EXPECT_EQ(reply.traversed, 0U);
  EXPECT_EQ(reply.incidents, 2U);
  EXPECT_EQ(d.incident().outcome, protocol::Outcome::fault);
  EXPECT_EQ(d.incident().address, needed);
}

// As the analysis answers for what it has never heard of.
TYPED_TEST_P(ReplayerProtocol, TakesNoPageForAFault) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  const protocol::Page none;
  EXPECT_EQ(d.process.ask(packet_of(none)).kind, Kind::need); // of the second traversal
  const auto reply = d.process.ask(packet_of(none));
  EXPECT_EQ(reply.kind, Kind::reply);
  EXPECT_EQ(reply.traversed, 0U);
  EXPECT_EQ(reply.incidents, 2U);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenThePageIsLargerThanItsRegion) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  d.process.send(packet_of(
      protocol::Page{.readable = 1, .start = code_base - area, .end = code_base + 2 * area}));
  EXPECT_EQ(d.process.end(), protocol::exit_protocol);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenThePageLiesElsewhere) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  d.process.send(packet_of(
      protocol::Page{.readable = 1, .start = code_base + 0x1000, .end = code_base + area}));
  EXPECT_EQ(d.process.end(), protocol::exit_protocol);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenThePageIsNone) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  protocol::Page page{.readable = 1, .start = code_base, .end = code_base + area};
  page.kind = Kind::reply;
  d.process.send(packet_of(page));
  EXPECT_EQ(d.process.end(), protocol::exit_protocol);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenThePageIsCutShort) {
  Dialogue& d = this->dialogue;
  ask_for_code(d);
  d.process.send(
      packet_of(protocol::Page{.readable = 1, .start = code_base, .end = code_base + area})
          .resized(-8));
  EXPECT_EQ(d.process.end(), protocol::exit_protocol);
}

TYPED_TEST_P(ReplayerProtocol, EndsWhenThePageDoesNotCome) {
  ask_for_code(this->dialogue);
  EXPECT_EQ(this->dialogue.process.end_after_close(), protocol::exit_done);
}

REGISTER_TYPED_TEST_SUITE_P(ReplayerProtocol, EndsWhenNobodySpeaksToIt, EndsAfterItsSetUp,
                            EndsAfterItsLock, EndsWhenAnotherHasStartedIt,
                            CountsRegionsThatNoTargetHas, CountsRegionsThatDoNotAscend,
                            UpdatesTraversesAndCollects, GoesOnWithTheRestOfARange,
                            AttributesDecrementsOfWatchedObjects, ClearsWhatAnUpdateHasSet,
                            ListsVisits, StopsWhereTheBufferIsFull, GoesOnWithThePageThatItNeeds,
                            TakesAPageThatCannotBeHadForAFault, TakesNoPageForAFault,
                            EndsWhenThePageIsLargerThanItsRegion, EndsWhenThePageLiesElsewhere,
                            EndsWhenThePageIsNone, EndsWhenThePageIsCutShort,
                            EndsWhenThePageDoesNotCome);

} // namespace pygc::replay::testing
