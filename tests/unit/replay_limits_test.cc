// What a replayer has given up when it runs the target's code.
#include "replay_emulated_fixture.h"

#include "common/replay/emulated_replayer.h"
#include "common/replay/native_replayer.h"
#include "tests/unit/support/process_status.h"

#include <fstream>
#include <string>

namespace pygc::replay::testing {
namespace {

class GivenUp : public ::testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    const Address object = image_.add_object_with(ret_zero);
    if (GetParam()) {
      replayer_ = start(image_, options());
      pid_ = static_cast<const NativeReplayer&>(*replayer_).pid();
    } else {
      replayer_ = start_tracer(image_.memory(), options());
      pid_ = static_cast<const EmulatedReplayer&>(*replayer_).pid();
    }
    const std::vector<Address> objects{object};
    const std::vector<std::uint64_t> refcounts{1};
    const auto result = replayer_->run({.objects = objects, .refcounts = refcounts});
    ASSERT_TRUE(result) << result.error().reason;
  }

  Image image_;
  std::unique_ptr<Replayer> replayer_;
  pid_t pid_ = 0;
};

TEST_P(GivenUp, CapabilitiesAndUser) {
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    EXPECT_EQ(tests::status_field(pid_, set), "0000000000000000") << set;
  }
  if (::getuid() == 0) {
    EXPECT_EQ(tests::status_field(pid_, "CapBnd"), "0000000000000000");
    EXPECT_EQ(tests::status_field(pid_, "Uid"), "65534\t65534\t65534\t65534");
    EXPECT_EQ(tests::status_field(pid_, "Groups"), "");
  }
}

TEST_P(GivenUp, AddressSpace) {
  std::ifstream limits("/proc/" + std::to_string(pid_) + "/limits");
  bool limited = false;
  for (std::string line; std::getline(limits, line);) {
    limited = limited || (line.starts_with("Max address space") &&
                          line.find("unlimited") == std::string::npos);
  }
  EXPECT_TRUE(limited);
}

INSTANTIATE_TEST_SUITE_P(Engines, GivenUp, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "native" : "emulated"; });

} // namespace
} // namespace pygc::replay::testing
