// An opened target of a real interpreter: each part is made once, and none changes under those who
// refer to it.
#include "common/session/opened_target.h"

#include "common/image/process/process_image.h"
#include "common/session/kept_target.h"
#include "common/target/core/core_file.h"
#include "tests/unit/image_python_cores.h"

#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace pygc::session {
namespace {

class OpenedTargetTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    directory = std::make_unique<image::testing::TemporaryDirectory>();
    core = image::testing::gcore_core(PYGC_TEST_PYTHON, "held = [[] for _ in range(100000)]",
                                      directory->path());
  }
  static void TearDownTestSuite() { directory.reset(); }

  static std::shared_ptr<OpenedTarget> open() {
    auto target = target::open_core(core);
    if (!target) {
      throw std::runtime_error(target.error().reason);
    }
    auto image = image::open_process_image(**target, {});
    if (!image) {
      throw std::runtime_error(image.error().reason);
    }
    return std::make_shared<OpenedTarget>(std::move(*target), std::move(*image), std::string());
  }

  static std::unique_ptr<image::testing::TemporaryDirectory> directory;
  static std::string core;
  const std::function<bool()> never = [] { return false; };
};

std::unique_ptr<image::testing::TemporaryDirectory> OpenedTargetTest::directory;
std::string OpenedTargetTest::core;

TEST_F(OpenedTargetTest, AFoundVisitorAltersNothingThatWasTakenBefore) {
  const auto opened = open();
  EXPECT_EQ(opened->find_python(PYGC_TEST_LAYOUTS, 7).error().kind, ErrorKind::usage);
  ASSERT_TRUE(opened->find_python(PYGC_TEST_LAYOUTS, 0));
  const cpython::Runtime& before = opened->python().runtimes().front();
  const cpython::ObjectReader& reader = opened->python().reader();
  const Address known = before.visit_decref;
  EXPECT_FALSE(opened->has_heap());
  const auto heap = opened->heap(never);
  ASSERT_TRUE(heap);
  EXPECT_GT((*heap)->objects.size(), 100000U);

  opened->add_visitor(0x1234);
  EXPECT_EQ(opened->python().runtimes().front().visit_decref, 0x1234U);
  EXPECT_EQ(opened->python().reader().runtime().visit_decref, 0x1234U);
  EXPECT_EQ(before.visit_decref, known);
  EXPECT_EQ(&reader.runtime(), &before);
  EXPECT_EQ(reader.runtime().visit_decref, known);
  EXPECT_EQ(opened->heap(never).value(), *heap);
  EXPECT_FALSE(opened->lacks_visitor());
}

TEST_F(OpenedTargetTest, ASearchInVainIsNotRepeated) {
  const auto opened = open();
  ASSERT_TRUE(opened->find_python(PYGC_TEST_LAYOUTS, 0));
  const Python* python = &opened->python();
  opened->add_visitor(0);
  EXPECT_EQ(&opened->python(), python);
  EXPECT_FALSE(opened->lacks_visitor());
}

TEST_F(OpenedTargetTest, AnInterruptedWalkLeavesNoHeap) {
  const auto opened = open();
  ASSERT_TRUE(opened->find_python(PYGC_TEST_LAYOUTS, 0));
  const auto walked = opened->heap([] { return true; });
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().kind, ErrorKind::cancelled);
  EXPECT_FALSE(opened->has_heap());
  EXPECT_TRUE(opened->heap(never));
}

TEST_F(OpenedTargetTest, IsKeptUnderItsKeyAlone) {
  const auto opened = open();
  KeptTarget kept;
  EXPECT_EQ(kept.find("key", {}), nullptr);
  kept.opened(std::nullopt, opened, {});
  EXPECT_FALSE(kept.holds());
  kept.opened("key", opened, {});
  EXPECT_EQ(kept.count(), 2U);
  EXPECT_EQ(kept.find("key", {}), opened);
  // A debugger that tells the executable which the core names says nothing new.
  image::FileOptions files;
  files.executable = opened->image().modules().front()->path();
  EXPECT_EQ(kept.find("key", files), opened);
  EXPECT_EQ(kept.find("other key", {}), nullptr);
  EXPECT_FALSE(kept.holds());
  kept.opened("key", opened, {});
  files.executable = "/bin/sh";
  EXPECT_EQ(kept.find("key", files), nullptr);
}

/// The key for options and files that `change` has changed.
std::optional<std::string>
key_with(const std::function<void(Options&, image::FileOptions&)>& change,
         const std::string& stop_id = "here") {
  Options options;
  image::FileOptions files;
  files.sysroot = "/root";
  change(options, files);
  return key_of(options, files, stop_id);
}

TEST(KeyOfTarget, SaysAllThatDecidesTheOpening) {
  const auto nothing = [](Options&, image::FileOptions&) {};
  const auto key = key_with(nothing);
  ASSERT_TRUE(key);
  EXPECT_EQ(key_with(nothing), key);
  EXPECT_NE(key_with(nothing, "there"), key);
  EXPECT_NE(key_with([](auto&, auto& files) { files.sysroot.clear(); }), key);
  EXPECT_NE(key_with([](auto& options, auto&) { options.executable = "/bin/sh"; }), key);
  EXPECT_NE(key_with([](auto& options, auto&) { options.runtime = 0; }), key);
  EXPECT_NE(key_with([](auto& options, auto&) { options.engine = Engine::emulated; }), key);
  EXPECT_NE(key_with([](auto&, auto& files) { files.debuginfod = false; }), key);
  EXPECT_NE(key_with([](auto&, auto& files) { files.debug_directories = {"/debug"}; }), key);
  // What has nothing to do with it.
  EXPECT_EQ(key_with([](auto& options, auto&) {
              options.json = true;
              options.progress = true;
              options.output = "file";
            }),
            key);
  // What may be another thing each time.
  EXPECT_FALSE(key_with(nothing, ""));
  EXPECT_FALSE(key_with([](auto& options, auto&) { options.core = "-"; }));
  EXPECT_FALSE(key_with([](auto& options, auto&) { options.core = "/nonexistent"; }));
  EXPECT_FALSE(key_with([](auto& options, auto&) { options.pid = 1; }));
}

TEST(KeyOfTarget, AFileThatIsWrittenToIsAnotherOne) {
  const image::testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/core";
  std::ofstream(path) << "one";
  const auto name_it = [&](auto& options, auto&) { options.core = path; };
  const auto key = key_with(name_it);
  EXPECT_EQ(key_with(name_it), key);
  std::ofstream(path) << "other";
  EXPECT_NE(key_with(name_it), key);
}

} // namespace
} // namespace pygc::session
