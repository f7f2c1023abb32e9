// The kit that views are made of.
#include "common/report/kit/printable.h"
#include "common/report/kit/text.h"
#include "common/report/object_json.h"

#include <gtest/gtest.h>

namespace pygc::report {
namespace {

TEST(Printable, KeepsWhatPeopleWrite) {
  for (const char* text : {"", "plain text", "C:\\path", "caf\u00e9 \u65e5\u672c \U0001f40d"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, ShowsControls) {
  EXPECT_EQ(printable("a\x1b[31mb\tc\r\n"), "a\\x1b[31mb\\tc\\r\\n");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\u009b31m"); // CSI in one code point
  EXPECT_EQ(printable("\u202eabc\u2028"), "\\u202eabc\\u2028");
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\x9b"), "\\x9b");                            // CSI of an 8-bit terminal
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");                   // overlong ESC
  EXPECT_EQ(printable("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");          // the same
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");          // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // beyond Unicode
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                   // cut
  EXPECT_EQ(printable("\xc3(\xc3\xa9"), "\\xc3(\u00e9");
}

TEST(Printable, LeavesJsonTheSameDocument) {
  const Json value = {{"name", "a\u009b\x7f\u202e\u00e9\x1b\n"}};
  const std::string text = document_text(value);
  EXPECT_EQ(text, "{\n  \"name\": \"a\\u009b\\u007f\\u202e\u00e9\\u001b\\n\"\n}\n");
  EXPECT_EQ(Json::parse(text), value);
}

TEST(JsonKit, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(record_text({{"name", "a\xff"}}), "{\"name\":\"a\ufffd\"}\n");
}

TEST(JsonKit, ValuesThatAreNotThereAreNull) {
  EXPECT_EQ(text_or_null(""), nullptr);
  EXPECT_EQ(text_or_null("a"), "a");
  EXPECT_EQ(address_or_null(0), nullptr);
  EXPECT_EQ(address_or_null(0xabc), "0xabc");
  EXPECT_EQ(or_null(std::optional<int>()), nullptr);
  EXPECT_EQ(object_json(std::optional<analysis::ObjectView>()), nullptr);
}

TEST(Paragraph, BreaksAtBlanks) {
  EXPECT_EQ(paragraph("one two three", 8), "one two\nthree\n");
  EXPECT_EQ(paragraph("one two three", 8, 2), "  one\n  two\n  three\n");
  EXPECT_EQ(paragraph("a-word-that-is-longer than that", 10), "a-word-that-is-longer\nthan that\n");
  EXPECT_EQ(paragraph("", 80), "\n");
}

TEST(Paragraph, CountsCodePoints) {
  EXPECT_EQ(paragraph("\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9", 7),
            "\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\n");
}

TEST(Paragraph, IsPrintable) {
  EXPECT_EQ(paragraph("a\nb \x1b[2J", 80), "a\\nb \\x1b[2J\n");
}

TEST(TextKit, ColoursOnlyWhereTheyAreWanted) {
  Text plain({.width = 80, .colour = false});
  plain.line({{"error", Colour::red}, {": \x1b[0m"}});
  EXPECT_EQ(plain.take(), "error: \\x1b[0m\n");
  Text coloured({.width = 80, .colour = true});
  coloured.line({{"error", Colour::red}, {": \x1b[0m"}});
  EXPECT_EQ(coloured.take(), "\x1b[1;31merror\x1b[0m: \\x1b[0m\n");
}

TEST(TextKit, NarrowTerminalsGetFortyColumns) {
  Text text({.width = 3});
  text.paragraph("one two three");
  EXPECT_EQ(text.take(), "one two three\n");
}

TEST(Counts, AreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1339465), "1,339,465");
}

} // namespace
} // namespace pygc::report
