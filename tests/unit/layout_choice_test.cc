// Which layout is believed: the one that the target proves, from the nearest source.
#include "common/cpython/discovery/runtime_search.h"
#include "tests/unit/image_builder.h"
#include "tests/unit/support/heap_builder.h"

#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::cpython {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t version_3_11_2 = 0x030b02f0;
constexpr std::uint32_t version_3_11_9 = 0x030b09f0;
constexpr Address memory_base = 0x10'0000;
constexpr std::size_t memory_size = std::size_t{4} << 20U;
constexpr Address version_at = memory_base + 0x100;
constexpr Address runtime_at = memory_base + 0x1000;
constexpr Address interpreter_at = memory_base + (std::size_t{1} << 20U);

std::string shipped_table() {
  std::ifstream file(PYGC_TEST_DATA_DIR "/../../common/cpython/layouts/debian-3.11.2-release.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A target with one interpreter whose lists are empty, laid out as Debian's 3.11.2.
class LayoutChoice : public ::testing::Test {
protected:
  LayoutChoice() : bytes_(memory_size) {
    const auto table = parse_layout_table("known", shipped_table());
    EXPECT_TRUE(table);
    layout_ = table->layout;
    set_version(version_3_11_2);
    auto& symbols = image_.library().symbols;
    symbols["_PyRuntime"] = runtime_at;
    symbols["Py_Version"] = version_at;
  }

  void set_version(std::uint64_t version) { store(version_at, version); }
  void store(Address address, std::uint64_t value) {
    std::memcpy(bytes_.data() + (address - memory_base), &value, sizeof value);
  }
  Address head(std::uint32_t generation) const {
    return interpreter_at + *layout_.interp_gc + *layout_.gc_generations +
           Address{generation} * layout_.generation_size + layout_.generation_head;
  }
  /// Empty lists, `shift` bytes from where the layout has them.
  void make_lists(Address shift = 0) {
    store(runtime_at + layout_.interpreters_head, interpreter_at);
    for (std::uint32_t generation = 0; generation < 3; ++generation) {
      const Address at = head(generation) + shift;
      store(at + layout_.gc_next, at);
      store(at + layout_.gc_prev, at);
    }
  }
  void add_table(const std::string& name, const std::string& text) const {
    std::ofstream(tables_.path() + "/" + name + ".json") << text;
  }
  static std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  Result<std::vector<Runtime>> find() {
    const int fd = ::memfd_create("target", MFD_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, bytes_.data(), bytes_.size(), 0), static_cast<ssize_t>(bytes_.size()));
    image_.space().own(fd);
    image::Region region;
    region.start = memory_base;
    region.end = memory_base + memory_size;
    region.source = image::Source::saved;
    region.fd = fd;
    region.permissions = {.read = true, .write = true, .execute = false};
    EXPECT_TRUE(image_.space().add(region));
    image_.space().sort();
    return find_runtimes(image_, tables_.path());
  }

  image::testing::TemporaryDirectory tables_;
  pygc::tests::FakeImage image_;
  std::vector<std::uint8_t> bytes_;
  Layout layout_;
};

TEST_F(LayoutChoice, TheTableOfTheSameBuildIsTaken) {
  make_lists();
  add_table("a-later", with(shipped_table(), "\"3.11.2\"", "\"3.11.9\""));
  add_table("exact", shipped_table());
  const auto found = find();
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->front().layout_source, LayoutSource::table);
  EXPECT_EQ(found->front().layout_detail, "exact");
  ASSERT_EQ(found->front().interpreters.size(), 1U);
  EXPECT_EQ(found->front().interpreters[0].spaces.size(), 4U);
  EXPECT_EQ(found->front().interpreters[0].spaces[2].head, head(2));
}

TEST_F(LayoutChoice, ElseThatOfTheNearestOne) {
  set_version(version_3_11_9);
  make_lists();
  add_table("near", with(shipped_table(), "\"3.11.2\"", "\"3.11.7\""));
  add_table("far", shipped_table());
  const auto found = find();
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->front().layout_source, LayoutSource::probed);
  EXPECT_EQ(found->front().layout_detail, "near");
}

TEST_F(LayoutChoice, OneThatTheTargetContradictsIsPassedOver) {
  set_version(version_3_11_9);
  make_lists();
  const std::string offset = "\"generations\": " + std::to_string(*layout_.gc_generations);
  add_table("near", with(with(shipped_table(), "\"3.11.2\"", "\"3.11.8\""), offset,
                         "\"generations\": " + std::to_string(*layout_.gc_generations + 16)));
  add_table("far", shipped_table());
  const auto found = find();
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->front().layout_detail, "far");
}

TEST_F(LayoutChoice, ListsFourBytesOffAreAnotherAlignment) {
  make_lists(*layout_.gc_generations % 8 == 0 ? Address{0} - 4 : 4);
  add_table("exact", shipped_table());
  const auto found = find();
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->front().layout_detail, "exact, with another alignment");
}

TEST_F(LayoutChoice, ATableOfAnotherMinorVersionIsNone) {
  make_lists();
  add_table("other", with(shipped_table(), "\"3.11.2\"", "\"3.12.2\""));
  const auto found = find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::unsupported);
}

TEST_F(LayoutChoice, WithoutAProofThereIsNone) {
  make_lists();
  const Address stray = memory_base + 0x800;
  store(head(1) + layout_.gc_next, stray); // which leads nowhere
  store(head(1) + layout_.gc_prev, stray);
  add_table("exact", shipped_table());
  const auto found = find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(found.error().reason, HasSubstr("generation 1: the list at"));
}

TEST_F(LayoutChoice, DebugInformationComesFirst) {
  make_lists();
  add_table("exact", shipped_table());
  const auto json = nlohmann::json::parse(shipped_table());
  image_.library().described = json.at("structs").get<image::Layouts>();
  const auto found = find();
  ASSERT_TRUE(found) << found.error().reason;
  EXPECT_EQ(found->front().layout_source, LayoutSource::dwarf);
}

TEST_F(LayoutChoice, AProcessThatHasNoInterpreterIsNotStarted) {
  add_table("exact", shipped_table());
  EXPECT_FALSE(find());
}

} // namespace
} // namespace pygc::cpython
