// A collection that the replayer walks itself: what it tells of sound lists, and that it tells
// nothing of others.
#include "common/replay/protocol/replayer_protocol.h"
#include "common/replay/sweep.h"
#include "tests/unit/replay_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t immortal = 0xc0000000;

/// An old and a young list, and the permanent one.
class Sweeps : public ::testing::Test {
protected:
  Sweeps() {
    for (Address& head : heads_) {
      head = image_.reserve(16);
    }
    visit_decref_ = image_.add_code(visit_decref_code);
  }

  Address add(Address type, std::uint64_t refcount, std::size_t list = 0) {
    const Address object = image_.add_object(type);
    image_.store(object, refcount);
    lists_[list].push_back(object);
    return object;
  }

  void link() {
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      Address before = heads_[i];
      for (const Address object : lists_[i]) {
        const Address node = object - 16;
        image_.store(before, node);
        image_.store(node + 8, before);
        before = node;
      }
      image_.store(before, heads_[i]);
      image_.store(heads_[i] + 8, before);
    }
  }

  std::unique_ptr<Sweep> start() {
    SweepRequest request;
    request.lists = {{heads_[0], true}, {heads_[1], true}, {heads_[2], false}};
    request.sample_size = 2;
    request.sampled_type = sampled_type_;
    request.immortal_objects = true;
    request.borrowed_references = borrowed_references_;
    request.gc_next = 0;
    request.ob_refcnt = 0;
    request.tp_base = 256;
    Options given = options();
    given.visit_decref = visit_decref_;
    auto sweep = start_sweep(image_.memory(), given, request, [] { return false; });
    EXPECT_TRUE(sweep) << sweep.error().reason;
    return std::move(*sweep);
  }

  /// The walk comes upon something.
  void expect_no_walk() {
    const auto sweep = start();
    const auto lists = sweep->walk();
    ASSERT_TRUE(lists) << lists.error().reason;
    EXPECT_FALSE(lists->has_value());
  }

  /// The walk does not, but the traversals do.
  void expect_no_totals() {
    link();
    const auto sweep = start();
    const auto lists = sweep->walk();
    ASSERT_TRUE(lists && *lists);
    ASSERT_TRUE(sweep->start_traversals());
    const auto totals = sweep->finish_traversals();
    ASSERT_TRUE(totals) << totals.error().reason;
    EXPECT_FALSE(totals->has_value());
  }

  Image image_;
  std::array<Address, 3> heads_{};
  std::array<std::vector<Address>, 3> lists_;
  Address visit_decref_ = 0;
  Address sampled_type_ = 0;
  bool borrowed_references_ = false;
};

TEST_F(Sweeps, TellEverythingOfSoundLists) {
  const Address leaf = image_.add_type(image_.add_code(ret_zero));
  const Address base = image_.add_type(image_.add_code(ret_zero));
  const Address module = image_.add_type(image_.add_code(ret_zero));
  image_.store(module + 256, base);
  sampled_type_ = base;
  const Address a = add(leaf, 3);
  const Address b = add(leaf, 1);
  const Address c = add(leaf, 1);
  const Address kept_out = add(leaf, immortal);
  const Address m = add(module, 2, 1);
  const Address n = add(module, 2, 1);
  const Address o = add(module, 2, 1);
  const Address container = add(image_.add_type(image_.add_code(visiting({a, a, m}))), 1, 1);
  const Address frozen = add(leaf, 1, 2);
  link();
  const auto sweep = start();

  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  EXPECT_THAT((*lists)->counts, ElementsAre(4U, 4U, 1U));
  EXPECT_EQ((*lists)->collected, 7U);
  EXPECT_EQ((*lists)->immortal, 1U);
  EXPECT_THAT((*lists)->types, SizeIs(3));
  std::vector<Address> sampled;
  std::vector<std::uint64_t> places;
  for (const SweptObject& sample : (*lists)->samples) {
    sampled.push_back(sample.object);
    places.push_back(sample.index);
  }
  EXPECT_THAT(sampled, ElementsAre(a, b, m, n, o, container));
  EXPECT_THAT(places, ElementsAre(0U, 1U, 3U, 4U, 5U, 6U));

  const auto found = sweep->find(std::vector<Address>{c, kept_out, m, frozen});
  ASSERT_TRUE(found && *found);
  EXPECT_THAT(**found, ElementsAre(true, false, true, false));
  const auto none = sweep->find(std::vector<Address>{c, 16}); // where no memory is
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);

  ASSERT_TRUE(sweep->start_traversals());
  const auto totals = sweep->finish_traversals();
  ASSERT_TRUE(totals && *totals);
  EXPECT_EQ((*totals)->visits, 3U);
  const auto gc_refs = sweep->gc_refs(std::vector<Address>{a, m, container, frozen});
  ASSERT_TRUE(gc_refs);
  EXPECT_THAT(*gc_refs, ElementsAre(std::optional<std::int64_t>(1), std::optional<std::int64_t>(1),
                                    std::optional<std::int64_t>(1), std::nullopt));
}

TEST_F(Sweeps, TellNothingOfAListWhoseHeadHasFlags) {
  add(image_.add_type(image_.add_code(ret_zero)), 1);
  for (const Address word : {heads_[0], heads_[0] + 8}) {
    link();
    image_.store(word, (lists_[0].front() - 16) | 1);
    expect_no_walk();
  }
}

TEST_F(Sweeps, KeepAsideTheLargestReferenceCount) {
  add(image_.add_type(image_.add_code(ret_zero)), (std::uint64_t{1} << 28) - 1);
  link();
  const auto sweep = start();
  const auto lists = sweep->walk();
  EXPECT_TRUE(lists && *lists);
}

TEST_F(Sweeps, TellNothingOfALargerReferenceCount) {
  add(image_.add_type(image_.add_code(ret_zero)), std::uint64_t{1} << 28);
  link();
  expect_no_walk();
}

/// 8 bytes into an object is no object, though its count would be at the same place.
TEST_F(Sweeps, DoNotTakeAPointerIntoAnObjectForTheObject) {
  const Address leaf = image_.add_type(image_.add_code(ret_zero));
  const Address a = add(leaf, 1);
  add(image_.add_type(image_.add_code(visiting({a + 8}))), 1);
  expect_no_totals();
}

/// The other half of what one count is for.
TEST_F(Sweeps, DoNotTakeAPointerBesideAnObjectForTheObject) {
  const Address leaf = image_.add_type(image_.add_code(ret_zero));
  const Address a = add(leaf, 1);
  add(image_.add_type(image_.add_code(visiting({a ^ 16U}))), 1);
  expect_no_totals();
}

/// More objects than one piece has room for.
TEST_F(Sweeps, ListEachObjectInOrder) {
  const Address leaf = image_.add_type(image_.add_code(ret_zero));
  const Address first = add(leaf, 2);
  const Address kept_out = add(leaf, immortal);
  constexpr std::size_t more = 20000;
  for (std::size_t i = 0; i < more; ++i) {
    add(leaf, 1 + i % 3, i % 2);
  }
  const Address container = add(image_.add_type(image_.add_code(visiting({first, kept_out}))), 1);
  link();
  std::vector<Address> expected = lists_[0];
  std::erase(expected, kept_out);
  expected.insert(expected.end(), lists_[1].begin(), lists_[1].end());
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  ASSERT_TRUE(sweep->start_traversals());
  const auto totals = sweep->finish_traversals();
  ASSERT_TRUE(totals && *totals);

  std::vector<SweptCounts> told;
  std::size_t pieces = 0;
  const auto taken = sweep->list([&](std::span<const SweptCounts> piece) {
    ++pieces;
    told.insert(told.end(), piece.begin(), piece.end());
    return Result<void>{};
  });
  ASSERT_TRUE(taken) << taken.error().reason;
  EXPECT_GT(pieces, 1U);
  ASSERT_EQ(told.size(), expected.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].object, expected[i]);
    EXPECT_EQ(told[i].type == leaf, told[i].object != container);
    EXPECT_EQ(told[i].gc_refs,
              static_cast<std::int64_t>(told[i].refcount) - (told[i].object == first ? 1 : 0));
  }

  const auto refused = sweep->list(
      [](std::span<const SweptCounts>) { return Result<void>(fail(ErrorKind::io, 0, "no room")); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "no room");
}

TEST_F(Sweeps, TakeEmptyListsForSound) {
  link();
  image_.store(heads_[2], 0);
  image_.store(heads_[2] + 8, 0);
  const auto sweep = start();
  const auto lists = sweep->walk();
  ASSERT_TRUE(lists && *lists);
  EXPECT_EQ((*lists)->collected, 0U);
  EXPECT_THAT((*lists)->samples, IsEmpty());
  ASSERT_TRUE(sweep->start_traversals());
  const auto totals = sweep->finish_traversals();
  ASSERT_TRUE(totals && *totals);
  EXPECT_EQ((*totals)->visits, 0U);
}

/// What is wrong with the second of three objects on the old list.
class WrongLists : public Sweeps {
protected:
  WrongLists() {
    const Address type = image_.add_type(image_.add_code(ret_zero));
    for (int i = 0; i < 3; ++i) {
      add(type, 1);
    }
    link();
  }
  Address node(std::size_t i) const { return lists_[0][i] - 16; }
};

TEST_F(WrongLists, BackwardLink) {
  image_.store(node(1) + 8, node(2));
  expect_no_walk();
}
TEST_F(WrongLists, CycleThatMissesTheHead) {
  image_.store(node(2), node(1));
  expect_no_walk();
}
TEST_F(WrongLists, LinkOfTheHead) {
  image_.store(heads_[0] + 8, node(1));
  expect_no_walk();
}
TEST_F(WrongLists, LinkToNowhere) {
  image_.store(node(1), unmapped + 64);
  expect_no_walk();
}
TEST_F(WrongLists, LinkIntoTheReplayer) {
  image_.store(node(1), protocol::own_start + 64);
  expect_no_walk();
}
TEST_F(WrongLists, LinkIntoCode) {
  image_.store(node(1), code_base + 64);
  expect_no_walk();
}
TEST_F(WrongLists, NullLink) {
  image_.store(node(1), 0);
  expect_no_walk();
}
TEST_F(WrongLists, ObjectThatIsBeingCollected) {
  image_.store(node(1) + 8, node(0) | collecting);
  expect_no_walk();
}
TEST_F(WrongLists, ObjectWithoutReferences) {
  image_.store(lists_[0][1], 0);
  expect_no_walk();
}
TEST_F(WrongLists, ReferenceCountBeyondReason) {
  image_.store(lists_[0][1], std::uint64_t{1} << 60);
  expect_no_walk();
}
TEST_F(WrongLists, ObjectWithoutType) {
  image_.store(lists_[0][1] + 8, 0);
  expect_no_walk();
}

TEST_F(Sweeps, TellNothingOfANegativeCount) {
  const Address a = add(image_.add_type(image_.add_code(ret_zero)), 1);
  add(image_.add_type(image_.add_code(visiting({a, a}))), 1);
  expect_no_totals();
}

/// What was freed may have any bits where its links were, and a count that looks like one.
TEST_F(Sweeps, TellNothingOfAVisitToWhatHasTheCollectingBitOfOthers) {
  const Address leaf = image_.add_type(image_.add_code(ret_zero));
  for (const bool borrowed : {false, true}) {
    SCOPED_TRACE(borrowed);
    borrowed_references_ = borrowed;
    const Address freed = image_.add_object(leaf);
    image_.store(freed, 1);
    image_.store(freed - 8, 0x759aadb9178cdc67);
    add(image_.add_type(image_.add_code(visiting({freed}))), 1);
    expect_no_totals();
  }
}

TEST_F(Sweeps, TellNothingAfterAFault) {
  add(image_.add_type(image_.add_code(visiting({unmapped + 64}))), 1);
  expect_no_totals();
}

TEST_F(Sweeps, TellNothingOfATypeWithoutTraverse) {
  add(image_.add_type(0), 1);
  expect_no_totals();
}

TEST_F(Sweeps, TellNothingWhenATraversalChangesACount) {
  const Address a = add(image_.add_type(image_.add_code(ret_zero)), 1);
  // mov $a,%rdi; incq (%rdi); xor %eax,%eax; ret
  add(image_.add_type(image_.add_code(load_rdi(a) + Code{0x48, 0xff, 0x07} + ret_zero)), 1);
  expect_no_totals();
}

/// A container that visits an object of no list; by the replayer's visitor or the target's.
class VisitsBeyondTheLists : public Sweeps, public ::testing::WithParamInterface<bool> {
protected:
  VisitsBeyondTheLists() {
    borrowed_references_ = GetParam();
    object_ = image_.add_object(image_.add_type(image_.add_code(ret_zero)));
    image_.store(object_, 1);
    container_ = add(image_.add_type(image_.add_code(visiting({object_}))), 1);
  }

  void expect_totals() {
    link();
    const auto sweep = start();
    ASSERT_TRUE(sweep->walk()->has_value());
    ASSERT_TRUE(sweep->start_traversals());
    const auto totals = sweep->finish_traversals();
    ASSERT_TRUE(totals) << totals.error().reason;
    EXPECT_TRUE(totals->has_value());
  }

  Address object_ = 0;
  Address container_ = 0;
};

TEST_P(VisitsBeyondTheLists, AreSoundForALiveObject) {
  expect_totals();
}
TEST_P(VisitsBeyondTheLists, AreSoundForAnImmortalObject) {
  image_.store(object_, immortal);
  expect_totals();
}
TEST_P(VisitsBeyondTheLists, AreSoundForAFrozenObject) {
  lists_[2].push_back(object_);
  expect_totals();
}
TEST_P(VisitsBeyondTheLists, AreNotForADeadObject) {
  image_.store(object_, 0);
  expect_no_totals();
}
TEST_P(VisitsBeyondTheLists, AreNotForAFreeBlock) {
  image_.store(object_, object_ + 64);
  expect_no_totals();
}
/// Where its type should be lies the address of an object: words of memory that pass for a count
/// and a type.
TEST_P(VisitsBeyondTheLists, AreNotForAnObjectWhoseTypeIsNone) {
  image_.store(object_ + 8, container_);
  expect_no_totals();
}
TEST_P(VisitsBeyondTheLists, AreSoundForAnObjectWhoseTypeHasOne) {
  const ObjectShape shape;
  const Address metatype = image_.add_type(image_.add_code(ret_zero));
  image_.store(metatype + shape.tp_flags, std::uint64_t{1} << shape.tp_flags_type_bit);
  const Address type = image_.add_type(image_.add_code(ret_zero));
  image_.store(type + shape.ob_type, metatype);
  image_.store(object_ + 8, type);
  expect_totals();
}
TEST_P(VisitsBeyondTheLists, AreNotForAnObjectOfAnotherList) {
  image_.store(object_ - 16, container_ - 16);
  image_.store(object_ - 8, container_ - 16);
  expect_no_totals();
}

INSTANTIATE_TEST_SUITE_P(Visitors, VisitsBeyondTheLists, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "target" : "own"; });

} // namespace
} // namespace pygc::replay
