// What pygc advises where memory of the target is not to be had: that which would have saved it.
#include "tests/e2e/support/core_edit.h"
#include "tests/e2e/support/processes.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::e2e {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* whole_core = "ulimit -c unlimited";
constexpr const char* all_memory = "coredump_filter 0x33";

/// All that the command says, as a document of a check or of an error.
struct Said {
  int status = 0;
  std::string text;
  json document;
};

Said said_of(const Core& core, const std::string& command = "check") {
  const Outcome outcome = run_pygc({command, core.path, "--json"});
  Said said{.status = outcome.status,
            .text = outcome.out + outcome.err,
            .document = json::parse(outcome.out, nullptr, false)};
  EXPECT_FALSE(said.document.is_discarded()) << said.text;
  return said;
}

Core heap_core(unsigned coredump_filter) {
  return make_core({.build = &release_build(),
                    .script = "heap.py",
                    .kind = CoreKind::kernel,
                    .coredump_filter = coredump_filter});
}

/// Bits of core(5): without 0 nothing anonymous is saved, so neither heap nor stacks.
TEST(Remedies, OfACoreWithoutTheHeapAreACoredumpFilter) {
  for (const unsigned filter : {0x32U, 0x10U}) {
    const Said said = said_of(heap_core(filter));
    EXPECT_THAT(said.status, testing::AnyOf(2, 3)) << said.text;
    EXPECT_THAT(said.text, AllOf(HasSubstr(all_memory), Not(HasSubstr("debug symbols")),
                                 Not(HasSubstr(whole_core))))
        << std::hex << filter;
    EXPECT_THAT(said.text, Not(HasSubstr("\"clean\"")));
  }
}

TEST(Remedies, OfATruncatedCoreAreALimit) {
  const Core whole = heap_core(0x33);
  const std::uint64_t size = std::filesystem::file_size(whole.path);
  for (const std::uint64_t percent : {90U, 50U, 10U}) {
    const Core core = copy_of(whole);
    std::filesystem::resize_file(core.path, size / 100 * percent);
    const Said said = said_of(core);
    EXPECT_THAT(said.status, testing::AnyOf(1, 2, 3)) << said.text;
    EXPECT_THAT(said.text, AllOf(HasSubstr("truncated"), Not(HasSubstr("debug symbols")),
                                 Not(HasSubstr(all_memory))))
        << percent;
    if (said.document.at("schema") == "pygc.error/1") {
      EXPECT_THAT(said.document.at("mend").get<std::string>(), HasSubstr(whole_core));
    }
    const Said doctor = said_of(core, "doctor");
    EXPECT_THAT(doctor.text, AllOf(HasSubstr(whole_core), Not(HasSubstr(all_memory)))) << percent;
  }
}

} // namespace
} // namespace pygc::e2e
