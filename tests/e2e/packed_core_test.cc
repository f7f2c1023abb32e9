// Cores as systemd-coredump and people store them, and through pipes, get the same verdict.
#include "tests/e2e/support/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

Outcome in_shell(const std::string& line, const Core& core) {
  return run({.words = {"bash", "-c", line, "bash", PYGC_BINARY, core.path},
              .env = {"PYGC_CACHE_DIR=" + core.directory->file("cache")}});
}

TEST(PackedCores, GiveTheSameVerdict) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py", .words = {"twice"}});
  const auto expected = check_alone(core).document;
  for (const char* line : {
           R"(zstd -q -1 "$2" -o "$2.zst" && "$1" check --json "$2.zst")",
           R"(lz4 -q -1 "$2" "$2.lz4" && "$1" check --json "$2.lz4")",
           R"(xz -0 -k -S .x "$2" && "$1" check --json "$2.x")",
           R"(gzip -1 -c "$2" > "$2.gz" && "$1" check --json "$2.gz")",
           R"("$1" check --json - < "$2")",
           R"(cat "$2" | "$1" check --json -)",
           R"(zstd -q -c "$2" | "$1" check --json -)",
           R"("$1" check --json <(cat "$2"))",
       }) {
    const Outcome outcome = in_shell(line, core);
    ASSERT_EQ(outcome.status, 1) << line << outcome.err;
    const nlohmann::json document = parse_document(outcome.out, outcome);
    expect_same_check(document, expected);
    EXPECT_EQ(document.at("target").at("kind"), "core") << line;
  }
}

TEST(PackedCores, ATruncatedOneIsIncomplete) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  const Outcome outcome = in_shell(
      R"(zstd -q -1 -c "$2" > "$2.zst" && truncate -s -20000 "$2.zst" && "$1" check --json "$2.zst")",
      core);
  EXPECT_TRUE(outcome.status == 3 || outcome.status == 2) << outcome.out;
  EXPECT_EQ(parse_document(outcome.out, outcome).at("complete"), false);
}

TEST(PackedCores, WhatIsNoCoreIsSaid) {
  const Core core = make_core({.build = &release_build(), .script = "heap.py"});
  const Outcome empty = in_shell(R"("$1" check - < /dev/null)", core);
  EXPECT_EQ(empty.status, 2);
  EXPECT_THAT(empty.err, testing::HasSubstr("standard input is no core"));
  const Outcome text = in_shell(R"(echo hello | gzip -c > "$2.gz" && "$1" check "$2.gz")", core);
  EXPECT_EQ(text.status, 2);
  EXPECT_THAT(text.err, testing::HasSubstr("not an ELF"));
  const Outcome damaged =
      in_shell(R"(printf '\x28\xb5\x2f\xfd damaged for sure' | "$1" check -)", core);
  EXPECT_EQ(damaged.status, 2);
  EXPECT_THAT(damaged.err, testing::HasSubstr("the zstd data are damaged"));
}

} // namespace
} // namespace pygc::e2e
