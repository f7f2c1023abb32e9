// Lists in the middle of a change: every order in which the links of one may be written.
#include "common/analysis/facts/list_anomalies.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/table_replayer.h"

#include <csignal>
#include <gtest/gtest.h>

namespace pygc::analysis {
namespace {

/// Three objects on a list and one, the fourth, that is not.
class ChangedList {
public:
  static constexpr Address head_size = 16;

  ChangedList() {
    head = builder_.reserve(head_size);
    builder_.runtime().interpreters.front().spaces.front().head = head;
    for (int i = 0; i < 4; ++i) {
      builder_.add_object(1);
    }
    Address before = head;
    for (std::uint32_t i = 0; i < 3; ++i) {
      next(before, node(i));
      prev(node(i), before);
      before = node(i);
    }
    next(before, head);
    prev(head, before);
  }

  Address node(std::uint32_t index) { return builder_.object(index) - head_size; }
  void next(Address node, Address value) { builder_.store(node, value); }
  void prev(Address node, Address value) { builder_.store(node + 8, value); }

  /// _PyObject_GC_TRACK of the fourth, of which the stores in `done` are made.
  void track(unsigned done) {
    made({{node(2), 0, node(3)}, {node(3), 8, node(2)}, {node(3), 0, head}, {head, 8, node(3)}},
         done);
  }
  /// _PyObject_GC_UNTRACK of one of the list, the first two stores of it.
  void untrack(std::uint32_t index, unsigned done) {
    const Address before = index == 0 ? head : node(index - 1);
    const Address after = index == 2 ? head : node(index + 1);
    made({{before, 0, after}, {after, 8, before}}, done);
  }

  /// What the walk finds, with the object in a register of a thread, or nothing there.
  std::vector<ListAnomaly> anomalies(std::uint32_t at_hand, bool in_register, int signal = 0) {
    const Address worked_at = in_register ? node(at_hand) : 0;
    builder_.finish();
    auto heap = heap::walk_heap(builder_.reader(), [] { return false; });
    EXPECT_TRUE(heap);
    builder_.heap() = std::move(*heap);
    target::Thread thread;
    thread.tid = 5;
    thread.signal = signal;
    thread.registers[3] = worked_at;
    builder_.threads() = {thread};
    tests::TableReplayer replayer({}, {});
    const CheckInput input = builder_.input(replayer);
    Facts facts;
    ListAnomalies(input).list(facts);
    return facts.anomalies;
  }

  Address head = 0;

private:
  struct Store {
    Address node;
    Address offset;
    Address value;
  };
  void made(const std::vector<Store>& stores, unsigned done) {
    for (std::size_t i = 0; i < stores.size(); ++i) {
      if ((done >> i & 1U) != 0) {
        builder_.store(stores[i].node + stores[i].offset, stores[i].value);
      }
    }
  }

  tests::HeapBuilder builder_;
};

constexpr unsigned all_of_track = 15;

/// The anomalies of a change that has got so far.
template <class Change> void expect_explained(Change change, std::uint32_t object, unsigned done) {
  SCOPED_TRACE(done);
  const auto told = [&](bool in_register, int signal) {
    ChangedList list;
    change(list);
    return list.anomalies(object, in_register, signal);
  };
  const std::vector<ListAnomaly> seen = told(true, 0);
  // None where no link of the list leads to it yet, or all do.
  for (const ListAnomaly& each : seen) {
    EXPECT_TRUE(each.corruption.in_motion) << each.corruption.message;
    EXPECT_NE(each.corruption.message.find("is just tracking or untracking"), std::string::npos);
  }
  for (const ListAnomaly& each : told(false, 0)) {
    EXPECT_FALSE(each.corruption.in_motion);
  }
  for (const ListAnomaly& each : told(true, SIGSEGV)) {
    EXPECT_FALSE(each.corruption.in_motion);
  }
}

TEST(ListAnomalies, AnObjectThatIsJustBeingTracked) {
  std::size_t broken = 0;
  for (unsigned done = 0; done <= all_of_track; ++done) {
    const auto change = [&](ChangedList& list) { list.track(done); };
    expect_explained(change, 3, done);
    ChangedList list;
    change(list);
    broken += list.anomalies(3, true).empty() ? 0U : 1U;
  }
  EXPECT_EQ(broken, 11U); // all where the list or its head leads there, but the last
}

TEST(ListAnomalies, AnObjectThatIsJustBeingUntracked) {
  for (std::uint32_t object = 0; object < 3; ++object) {
    for (const unsigned done : {1U, 2U}) {
      const auto change = [&](ChangedList& list) { list.untrack(object, done); };
      expect_explained(change, object, done);
      ChangedList list;
      change(list);
      EXPECT_EQ(list.anomalies(object, true).size(), 1U);
    }
  }
}

/// A thread has the object at hand, but no link that is still to be written mends the list.
TEST(ListAnomalies, AWrongLinkStaysOne) {
  ChangedList list;
  list.prev(list.node(1), list.node(2));
  const auto told = list.anomalies(1, true);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_FALSE(told[0].corruption.in_motion);
}

TEST(ListAnomalies, TwoFaultsAreNotOneChange) {
  ChangedList list;
  list.untrack(1, 1);
  list.prev(list.head, list.node(0));
  for (const ListAnomaly& told : list.anomalies(1, true)) {
    EXPECT_FALSE(told.corruption.in_motion);
  }
}

} // namespace
} // namespace pygc::analysis
