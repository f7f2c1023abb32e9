// The names of slots, in a heap made by hand.
#include "common/analysis/facts/slot_names.h"
#include "common/analysis/facts/traverse_function.h"
#include "tests/unit/support/heap_builder.h"
#include "tests/unit/support/knowing_image.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

namespace pygc::analysis {
namespace {

constexpr Address cache = tests::static_base + 0x40;
constexpr std::uint64_t t_object_ex = 16;

class SlotNaming : public ::testing::Test {
protected:
  void finish() {
    heap_.image().library().symbols["cache"] = cache;
    heap_.finish();
    ownership_.emplace(heap_.image(), heap_.reader());
    names_.emplace(image_, heap_.reader(), *ownership_);
  }
  std::string name(Address container, Address slot) { return names_->name(container, {slot}); }
  Address text(const std::string& value) {
    const Address at = heap_.reserve(24);
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, value.c_str(), value.size());
    heap_.store(at, bytes);
    return at;
  }
  /// A type that publishes the member.
  Address add_type_with_member(const std::string& member, std::uint64_t offset) {
    const Address type = heap_.add_type("M", 0);
    const Address members = heap_.reserve(96);
    heap_.store(members, text(member));
    heap_.store(members + 8, t_object_ex);
    heap_.store(members + 16, offset);
    heap_.store(type + heap_.runtime().layout.tp_members, members);
    return type;
  }

  tests::HeapBuilder heap_;
  tests::KnowingImage image_{heap_.image()};
  std::optional<Ownership> ownership_;
  std::optional<SlotNames> names_;
};

TEST_F(SlotNaming, OfStaticVariablesAreTheirs) {
  const Address object = heap_.object(heap_.add_object(1));
  finish();
  EXPECT_EQ(name(object, cache), "cache");
  EXPECT_EQ(name(object, cache + 8), "cache+0x8");
  EXPECT_EQ(name(object, tests::static_base + 0x10), "fake.so+0x10");
  EXPECT_EQ(name(object, cache), "cache"); // once more, as it was noted
}

TEST_F(SlotNaming, OfTheTypeIsSaidSo) {
  const Address object = heap_.object(heap_.add_object(1));
  finish();
  EXPECT_EQ(name(object, object + 8), "its type");
  EXPECT_EQ(name(object, object + 24), "+0x18 of the container");
  EXPECT_EQ(name(object, 0), "");
}

TEST_F(SlotNaming, OfMembersArePublishedOnes) {
  const Address type = add_type_with_member("left", 24);
  const Address derived = heap_.add_type("D", 0);
  heap_.store(derived + heap_.runtime().layout.tp_base, type);
  const Address object = heap_.object(heap_.add_object(1, type));
  const Address other = heap_.object(heap_.add_object(1, derived));
  finish();
  EXPECT_EQ(name(object, object + 24), ".left");
  EXPECT_EQ(name(other, other + 24), ".left");
  EXPECT_EQ(name(object, object + 32), "+0x20 of the container");
}

TEST_F(SlotNaming, OfMembersAreThoseOfTheStructOfTheBaseThatHasThem) {
  const Address base = heap_.add_type("pkg.Job", heap_.add_function("job_traverse"));
  heap_.store(base + heap_.runtime().layout.tp_basicsize, 32);
  const Address derived = heap_.add_type("D", heap_.add_function("subtype_traverse"));
  heap_.store(derived + heap_.runtime().layout.tp_basicsize, 40);
  heap_.store(derived + heap_.runtime().layout.tp_base, base);
  const Address object = heap_.object(heap_.add_object(1, derived));
  image_.members[{32, 24}] = {.structure = "Job", .member = "callback"};
  image_.members[{40, 32}] = {.structure = "wrong", .member = "wrong"}; // of a class of Python code
  finish();
  EXPECT_EQ(name(object, object + 24), ".callback of Job");
  EXPECT_EQ(name(object, object + 16), "+0x10 of the container");
  EXPECT_EQ(name(object, object + 32), "+0x20 of the container");
}

TEST_F(SlotNaming, OfModulesAreTheirDictionaryAndState) {
  heap_.runtime().layout.md_def = 24;
  const Address definition = heap_.add_definition(32, 0);
  const Address module = heap_.object(heap_.add_module(definition, 32));
  const Address state = heap_.stored(module + heap_.runtime().layout.md_state);
  const Address with_traverse = heap_.object(
      heap_.add_module(heap_.add_definition(32, heap_.add_function("m_traverse")), 32));
  const Address its_state = heap_.stored(with_traverse + heap_.runtime().layout.md_state);
  image_.members[{32, 8}] = {.structure = "m_state", .member = "error"};
  finish();
  EXPECT_EQ(name(module, module + 16), ".__dict__");
  EXPECT_EQ(name(module, state + 8), "+0x8 of the module's state"); // no function tells of it
  EXPECT_EQ(name(with_traverse, its_state + 8), ".error of the module's state (m_state)");
  EXPECT_EQ(name(with_traverse, its_state + 16), "+0x10 of the module's state");
}

TEST_F(SlotNaming, OfItemsAreTheirIndices) {
  const Address type =
      heap_.add_type("tuple", 0, std::uint64_t{1} << cpython::type_flag::tuple_subclass);
  heap_.store(type + heap_.runtime().layout.tp_basicsize, 24);
  heap_.store(type + heap_.runtime().layout.tp_itemsize, 8);
  const Address tuple = heap_.object(heap_.add_object(1, type));
  heap_.store(tuple + heap_.runtime().layout.ob_size, 2);
  heap_.store(tuple + 32, 0x7000);
  finish();
  EXPECT_EQ(name(tuple, tuple + 32), "[1]");
  EXPECT_EQ(names_->item_name(tuple, 0x7000), "[1]");
  EXPECT_EQ(names_->item_name(tuple, 0x7010), "");
}

TEST_F(SlotNaming, OfMemoryThatNoTypeTellsAboutAreEmpty) {
  const Address object = heap_.object(heap_.add_object(1));
  const Address elsewhere = heap_.reserve(32);
  finish();
  EXPECT_EQ(name(object, elsewhere), "");
}

TEST_F(SlotNaming, TheExtensionsFunctionIsThatOfTheBaseThatItDefines) {
  // The one library is the interpreter here: it defines no extension's type.
  const Address base = heap_.add_type("B", heap_.add_function("base_traverse"));
  const Address derived = heap_.add_type("D", heap_.add_function("subtype_traverse"));
  heap_.store(derived + heap_.runtime().layout.tp_base, base);
  const Address object = heap_.object(heap_.add_object(1, derived));
  finish();
  EXPECT_EQ(extension_traverse(heap_.reader(), heap_.image(), object), 0U);
  heap_.runtime().module = nullptr; // now it is not
  EXPECT_EQ(extension_traverse(heap_.reader(), heap_.image(), object),
            heap_.image().library().symbols["base_traverse"]);
}

} // namespace
} // namespace pygc::analysis
