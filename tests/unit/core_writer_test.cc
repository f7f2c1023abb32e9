// Cores that pygc writes are read back by what reads any core.
#include "common/target/core/core_file.h"
#include "common/target/live/core_writer.h"

#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::image {
namespace {

constexpr Address base = 0x10000;

void add_segment(target::SnapshotPlan& plan, const std::string& path, std::uint64_t saved) {
  const Address start = base + plan.segments.size() * 2 * machine::page_size();
  plan.segments.push_back({.mapping = {.start = start,
                                       .end = start + machine::page_size(),
                                       .file_offset = path.empty() ? 0 : 3 * machine::page_size(),
                                       .permissions = {.read = true, .write = path.empty()},
                                       .path = path},
                           .saved = saved,
                           .offset = plan.end});
  plan.end += saved;
}

machine::ThreadNotes thread_of(pid_t tid, std::uint64_t pc) {
  machine::ThreadNotes thread;
  thread.status.pr_pid = tid;
  user_regs_struct general{};
  general.rip = pc;
  general.fs_base = pc + 1;
  std::memcpy(&thread.status.pr_reg, &general, sizeof general);
  return thread;
}

std::unique_ptr<target::Target> read_back(const target::SnapshotPlan& plan,
                                          const target::CoreProcess& process) {
  const target::CoreFrame frame = target::frame_core(plan, process);
  UniqueFd file(::memfd_create("core", MFD_CLOEXEC));
  EXPECT_LE(frame.head.size(), target::core_head_size());
  EXPECT_EQ(::pwrite(file.get(), frame.head.data(), frame.head.size(), 0),
            static_cast<ssize_t>(frame.head.size()));
  EXPECT_EQ(
      ::pwrite(file.get(), frame.tail.data(), frame.tail.size(), static_cast<off_t>(plan.end)),
      static_cast<ssize_t>(frame.tail.size()));
  auto core = target::open_core(std::move(file), "made");
  EXPECT_TRUE(core) << core.error().reason;
  return core ? std::move(*core) : nullptr;
}

TEST(CoreWriter, WhatItWritesIsReadBack) {
  target::SnapshotPlan plan;
  plan.end = target::core_head_size();
  add_segment(plan, "", machine::page_size());
  add_segment(plan, "/lib/x", 0);
  add_segment(plan, "/lib/a long name (deleted)", machine::page_size());
  target::CoreProcess process;
  process.info.pr_pid = 77;
  process.threads = {thread_of(77, 0x1111), thread_of(78, 0x2222)};
  const auto core = read_back(plan, process);
  ASSERT_NE(core, nullptr);
  EXPECT_EQ(core->info().pid, 77);
  EXPECT_FALSE(core->info().truncated);
  ASSERT_EQ(core->threads().size(), 2U);
  EXPECT_EQ(core->threads()[0].tid, 77U);
  EXPECT_EQ(core->threads()[1].pc, 0x2222U);
  EXPECT_EQ(core->threads()[1].thread_pointer, 0x2223U);
  ASSERT_EQ(core->segments().size(), 3U);
  EXPECT_EQ(core->segments()[0].saved, machine::page_size());
  EXPECT_EQ(core->segments()[0].offset, target::core_head_size());
  EXPECT_TRUE(core->segments()[0].permissions.write);
  EXPECT_EQ(core->segments()[1].saved, 0U);
  EXPECT_EQ(core->segments()[1].size, machine::page_size());
  ASSERT_EQ(core->file_mappings().size(), 2U);
  EXPECT_EQ(core->file_mappings()[0].path, "/lib/x");
  EXPECT_EQ(core->file_mappings()[1].path, "/lib/a long name (deleted)");
  EXPECT_EQ(core->file_mappings()[1].file_offset, 3 * machine::page_size());
}

TEST(CoreWriter, MoreSegmentsThanSixteenBitsCount) {
  target::SnapshotPlan plan;
  plan.end = target::core_head_size();
  constexpr std::size_t count = 70'000;
  for (std::size_t i = 0; i < count; ++i) {
    add_segment(plan, "", 0);
  }
  const auto core = read_back(plan, {.info = {}, .threads = {thread_of(1, 1)}, .auxiliary = {}});
  ASSERT_NE(core, nullptr);
  EXPECT_EQ(core->segments().size(), count);
  EXPECT_EQ(core->threads().size(), 1U);
}

} // namespace
} // namespace pygc::image
