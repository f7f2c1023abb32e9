// Values as Python code spells them, and how many bytes a str has.
#include "common/cpython/objects/built_in_sizes.h"
#include "common/cpython/objects/value_text.h"
#include "tests/unit/support/heap_builder.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

namespace pygc::cpython {
namespace {

class ValueText : public ::testing::Test {
protected:
  ValueText() {
    Layout& layout = heap_.runtime().layout;
    layout.unicode_length = 16;
    layout.unicode_state = 32;
    layout.ascii_size = 40;
    layout.compact_size = 56;
  }

  /// Of `kind` bytes a character, with 2 bits of `interned` before it.
  Address add_str(std::uint64_t count, unsigned kind, bool ascii, const std::string& data) {
    const Address str = heap_.reserve(56 + data.size() + 8);
    heap_.store(str + heap_.runtime().layout.ob_type, str_type_);
    heap_.store(str + 16, count);
    heap_.store(str + 32, kind << 2U | 1U << 5U | (ascii ? 1U : 0U) << 6U);
    for (std::size_t i = 0; i < data.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, data.data() + i, std::min<std::size_t>(8, data.size() - i));
      heap_.store(str + (ascii ? 40 : 56) + i, word);
    }
    return str;
  }

  std::string text(Address object) {
    return value_text(heap_.reader(), object, *heap_.reader().type_address(object));
  }

  tests::HeapBuilder heap_;
  Address str_type_ = heap_.add_type("str", 0, std::uint64_t{1} << type_flag::unicode_subclass);
};

TEST_F(ValueText, OfAStrIsQuotedAndCut) {
  const Address plain = add_str(8, 1, true, "it's \n\\\x01");
  const Address wide = add_str(2, 2, false, std::string("\xac\x20\x41\x00", 4));
  const Address cut = add_str(100, 1, true, std::string(100, 'x'));
  const Address none = add_str(3, 3, true, "abc"); // no kind
  heap_.finish();
  EXPECT_EQ(text(plain), R"('it\'s \n\\\x01')");
  EXPECT_EQ(text(wide), "'\xe2\x82\xac"
                        "A'");
  EXPECT_EQ(text(cut), "'" + std::string(60, 'x') + "'...");
  EXPECT_EQ(text(none), "");
}

TEST_F(ValueText, OfAnIntIsToldUpTo63Bits) {
  const Address type = heap_.add_type("int", 0, std::uint64_t{1} << 24U); // LONG_SUBCLASS
  const auto add_int = [&](std::int64_t size, const std::vector<std::uint64_t>& digits) {
    const Address object = heap_.reserve(24 + 16);
    heap_.store(object + heap_.runtime().layout.ob_type, type);
    heap_.store(object + 16, static_cast<std::uint64_t>(size));
    heap_.store(object + 24, digits[0] | digits[1] << 32U);
    heap_.store(object + 32, digits[2]);
    return object;
  };
  constexpr std::uint64_t most = (std::uint64_t{1} << 30U) - 1; // of one digit
  heap_.image().library().symbols["_Py_FalseStruct"] = add_int(0, {0, 0, 0});
  const Address two = add_int(-2, {5, 1, 0});
  const Address nanoseconds = add_int(3, {1, 0, 1});
  const Address largest = add_int(-3, {most, most, 7});
  const Address beyond = add_int(3, {0, 0, 8});
  heap_.finish();
  EXPECT_EQ(text(two), "-1073741829");
  EXPECT_EQ(text(nanoseconds), "1152921504606846977");
  EXPECT_EQ(text(largest), "-9223372036854775807");
  EXPECT_EQ(text(beyond), "");
}

TEST_F(ValueText, OfWhatIsNoValueIsEmpty) {
  heap_.add_object(1);
  heap_.finish();
  EXPECT_EQ(text(heap_.object(0)), "");
}

TEST_F(ValueText, AStrHasItsCharactersAndItsUtf8) {
  const Address plain = add_str(5, 1, true, "plain");
  const Address wide = add_str(2, 2, false, std::string("\xac\x20\x41\x00", 4));
  const Address nothing = heap_.reserve(64);
  heap_.store(wide + 40, 4);
  heap_.store(wide + 48, 0x5000);
  heap_.finish();
  const Layout& layout = heap_.runtime().layout;
  const auto of_plain = str_parts(heap_.reader().memory(), layout, plain);
  ASSERT_TRUE(of_plain);
  EXPECT_EQ(of_plain->own.bytes, 40U + 6);
  EXPECT_FALSE(of_plain->body);
  EXPECT_TRUE(of_plain->complete);
  const auto of_wide = str_parts(heap_.reader().memory(), layout, wide);
  ASSERT_TRUE(of_wide);
  EXPECT_EQ(of_wide->own.bytes, 56U + 6);
  ASSERT_TRUE(of_wide->body);
  EXPECT_EQ(of_wide->body->start, 0x5000U);
  EXPECT_EQ(of_wide->body->bytes, 5U);
  EXPECT_FALSE(str_parts(heap_.reader().memory(), layout, nothing));
}

} // namespace
} // namespace pygc::cpython
