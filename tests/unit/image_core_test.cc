// Core files, good and bad, made by hand.
#include "common/target/core/core_file.h"
#include "tests/unit/image_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pygc::image {
namespace {

using testing::CoreBuilder;
using testing::filled;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

template <class T> void poke(testing::Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <class T> T at(const testing::Bytes& bytes, std::size_t place) {
  T value{};
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

class ImageCore : public ::testing::Test {
protected:
  Result<std::unique_ptr<target::Target>> open(const testing::Bytes& bytes) {
    return target::open_core(directory.write("core", bytes));
  }

  static CoreBuilder good() {
    CoreBuilder core;
    core.add_thread(12, 6, 0x401000, 0x7000, 0x1234);
    core.add_pid(11);
    core.segments = {
        {.address = 0x400000, .size = 0x2000, .flags = PF_R | PF_X, .saved = {}},
        {.address = 0x500000, .size = 0x3000, .flags = PF_R | PF_W, .saved = filled(0x3000, 7)}};
    return core;
  }

  TemporaryDirectory directory;
};

TEST_F(ImageCore, ReadsSegmentsThreadsAndMappings) {
  CoreBuilder core = good();
  core.add_auxiliary({{AT_ENTRY, 0x401000}});
  core.mappings = {{.start = 0x300000, .end = 0x301000, .offset = 0, .path = "/lib/other.so"},
                   {.start = 0x400000, .end = 0x402000, .offset = 0x1000, .path = "/bin/it"}};
  const auto target = open(core.build());
  ASSERT_TRUE(target) << target.error().reason;
  const target::Info& info = (*target)->info();
  EXPECT_EQ(info.kind, target::Kind::core);
  EXPECT_EQ(info.pid, 11);
  EXPECT_EQ(info.executable_path, "/bin/it");
  EXPECT_FALSE(info.truncated);

  const auto& segments = (*target)->segments();
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].saved, 0U);
  EXPECT_TRUE(segments[0].permissions.execute);
  EXPECT_FALSE(segments[0].permissions.write);
  EXPECT_EQ(segments[1].start, 0x500000U);
  EXPECT_EQ(segments[1].saved, 0x3000U);

  const auto& threads = (*target)->threads();
  ASSERT_EQ(threads.size(), 1U);
  EXPECT_EQ(threads[0].tid, 12U);
  EXPECT_EQ(threads[0].signal, 6);
  EXPECT_EQ(threads[0].pc, 0x401000U);
  EXPECT_EQ(threads[0].registers[16], 0x401000U);
  EXPECT_EQ(threads[0].registers[7], 0x7000U);
  EXPECT_EQ(threads[0].registers[3], 0xb0bU);
  EXPECT_EQ(threads[0].thread_pointer, 0x1234U);

  const auto& mappings = (*target)->file_mappings();
  ASSERT_EQ(mappings.size(), 2U);
  EXPECT_EQ(mappings[1].file_offset, 0x1000U);
}

TEST_F(ImageCore, PutsTheSignalledThreadFirst) {
  CoreBuilder core = good();
  core.notes.clear();
  core.add_thread(1, 0, 0x1, 0x2, 0);
  core.add_thread(2, 11, 0x3, 0x4, 0);
  core.add_thread(3, 0, 0x5, 0x6, 0);
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  const auto& threads = (*target)->threads();
  ASSERT_EQ(threads.size(), 3U);
  EXPECT_EQ(threads[0].tid, 2U);
  EXPECT_EQ(threads[1].tid, 1U);
  EXPECT_EQ(threads[2].tid, 3U);
}

TEST_F(ImageCore, NamesTheExecutableFromMemoryWhenNothingIsMapped) {
  CoreBuilder core = good();
  const std::string name = "/opt/python";
  std::memcpy(core.segments[1].saved.data() + 0x10, name.c_str(), name.size() + 1);
  core.add_auxiliary({{AT_EXECFN, 0x500010}});
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  EXPECT_EQ((*target)->info().executable_path, name);
}

TEST_F(ImageCore, CountsProgramHeadersInTheFirstSection) {
  CoreBuilder core = good();
  core.extended_count = true;
  const auto target = open(core.build());
  ASSERT_TRUE(target) << target.error().reason;
  EXPECT_EQ((*target)->segments().size(), 2U);
}

TEST_F(ImageCore, GoesOnWithoutNotes) {
  CoreBuilder core = good();
  core.notes.clear();
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  EXPECT_TRUE((*target)->threads().empty());
  EXPECT_TRUE((*target)->file_mappings().empty());
  EXPECT_EQ((*target)->info().executable_path, "");
}

/// A damaged count of headers makes notes of what lies behind them, each as large as the file.
TEST_F(ImageCore, NotesAreReadUpToALimitOfAll) {
  constexpr std::size_t size = std::size_t{8} << 20;
  testing::Bytes bytes = good().build();
  auto header = at<Elf64_Ehdr>(bytes, 0);
  testing::Bytes table(bytes.begin() + static_cast<std::ptrdiff_t>(header.e_phoff),
                       bytes.begin() + static_cast<std::ptrdiff_t>(
                                           header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr)));
  Elf64_Phdr more{};
  more.p_type = PT_NOTE;
  more.p_offset = bytes.size();
  more.p_filesz = size;
  bytes.resize(bytes.size() + size, std::byte{0xff});
  header.e_phoff = bytes.size();
  bytes.insert(bytes.end(), table.begin(), table.end());
  for (int i = 0; i < 70; ++i, ++header.e_phnum) {
    const auto raw = std::as_bytes(std::span(&more, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
  poke(bytes, 0, header);
  const auto target = open(bytes);
  ASSERT_TRUE(target) << target.error().reason;
  EXPECT_TRUE((*target)->info().truncated);
  EXPECT_EQ((*target)->threads().size(), 1U);
}

TEST_F(ImageCore, ClipsSegmentsOfATruncatedFile) {
  testing::Bytes bytes = good().build();
  bytes.resize(bytes.size() - 0x1800);
  const auto target = open(bytes);
  ASSERT_TRUE(target);
  EXPECT_TRUE((*target)->info().truncated);
  EXPECT_EQ((*target)->segments()[1].saved, 0x1800U);
  EXPECT_EQ((*target)->segments()[1].size, 0x3000U);
}

TEST_F(ImageCore, NoSegmentLiesBehindTheEndOfItsFile) {
  testing::Bytes bytes = good().build();
  bytes.resize(bytes.size() - 0x3800); // the last begins there
  const auto target = open(bytes);
  ASSERT_TRUE(target);
  EXPECT_EQ((*target)->segments()[1].saved, 0U);
  EXPECT_EQ((*target)->segments()[1].offset, bytes.size());
}

TEST_F(ImageCore, GivesOverlappingMemoryToTheFirstSegment) {
  CoreBuilder core = good();
  core.segments = {{.address = 0x10000, .size = 0x4000, .flags = PF_R, .saved = filled(0x4000, 1)},
                   {.address = 0x12000, .size = 0x4000, .flags = PF_R, .saved = filled(0x4000, 2)},
                   {.address = 0x11000, .size = 0x1000, .flags = PF_R, .saved = filled(0x1000, 3)}};
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  const auto& segments = (*target)->segments();
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].size, 0x4000U);
  EXPECT_EQ(segments[1].start, 0x14000U);
  EXPECT_EQ(segments[1].size, 0x2000U);
  EXPECT_EQ(segments[1].saved, 0x2000U);
}

TEST_F(ImageCore, LeavesOutWhatNoProcessCanHave) {
  CoreBuilder core = good();
  core.segments.push_back(
      {.address = 0xffffffffff600000, .size = 0x1000, .flags = PF_X, .saved = {}});
  core.segments.push_back(
      {.address = UINT64_MAX - 0xfff, .size = 0x2000, .flags = PF_R, .saved = filled(16, 1)});
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  EXPECT_EQ((*target)->segments().size(), 2U);
}

TEST_F(ImageCore, IgnoresAbsurdFileNotes) {
  for (const std::uint64_t count : {std::uint64_t{1} << 60, std::uint64_t{3}, UINT64_MAX}) {
    CoreBuilder core = good();
    testing::Bytes files;
    testing::append_plain(files, count);
    testing::append_plain(files, UINT64_MAX); // page size: offsets overflow
    for (const unsigned word : {0x1000U, 0x2000U, 5U}) {
      testing::append_plain(files, std::uint64_t{word});
    }
    testing::append_note(core.notes, NT_FILE, "CORE", files);
    const auto target = open(core.build());
    ASSERT_TRUE(target);
    EXPECT_TRUE((*target)->file_mappings().empty());
    EXPECT_EQ((*target)->threads().size(), 1U);
  }
}

TEST_F(ImageCore, StopsAtNotesThatDoNotFit) {
  CoreBuilder core = good();
  const Elf64_Nhdr header{.n_namesz = 5, .n_descsz = 0xfffffff0, .n_type = NT_PRSTATUS};
  testing::append_plain(core.notes, header);
  testing::append(core.notes, "CORE\0\0\0", 8);
  const auto target = open(core.build());
  ASSERT_TRUE(target);
  EXPECT_EQ((*target)->threads().size(), 1U);
}

struct BadCase {
  const char* name;
  void (*spoil)(testing::Bytes&);
  ErrorKind kind;
  const char* text;
};

const BadCase bad_cases[] = {
    {"empty", [](testing::Bytes& b) { b.clear(); }, ErrorKind::not_a_core, "empty"},
    {"text", [](testing::Bytes& b) { b = filled(500, 'x'); }, ErrorKind::not_a_core,
     "not an ELF file"},
    {"executable", [](testing::Bytes& b) { poke(b, 16, std::uint16_t{ET_EXEC}); },
     ErrorKind::not_a_core, "an executable, not a core"},
    {"library", [](testing::Bytes& b) { poke(b, 16, std::uint16_t{ET_DYN}); },
     ErrorKind::not_a_core, "a shared library or position-independent executable, not a core"},
    {"object", [](testing::Bytes& b) { poke(b, 16, std::uint16_t{ET_REL}); }, ErrorKind::not_a_core,
     "an object file, not a core"},
    {"bits32", [](testing::Bytes& b) { b[EI_CLASS] = std::byte{ELFCLASS32}; },
     ErrorKind::unsupported, "32-bit"},
    {"machine", [](testing::Bytes& b) { poke(b, 18, std::uint16_t{EM_AARCH64}); },
     ErrorKind::unsupported, "another machine"},
    {"byte_order", [](testing::Bytes& b) { b[EI_DATA] = std::byte{ELFDATA2MSB}; },
     ErrorKind::unsupported, "another machine"},
    {"cut_in_header", [](testing::Bytes& b) { b.resize(40); }, ErrorKind::truncated,
     "within its ELF header"},
    {"cut_in_program_headers", [](testing::Bytes& b) { b.resize(100); }, ErrorKind::truncated,
     "within its program headers"},
    {"far_program_headers", [](testing::Bytes& b) { poke(b, 32, UINT64_MAX - 8); },
     ErrorKind::truncated, "within its program headers"},
    {"count_without_section",
     [](testing::Bytes& b) {
       poke(b, 56, std::uint16_t{PN_XNUM});
       poke(b, 40, UINT64_MAX);
     },
     ErrorKind::truncated, "count of its program headers"},
    {"entry_size", [](testing::Bytes& b) { poke(b, 54, std::uint16_t{1}); }, ErrorKind::unsupported,
     "malformed"},
};

class BadCore : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadCore, IsRefusedInOneSentence) {
  const TemporaryDirectory directory;
  CoreBuilder core;
  core.segments = {{.address = 0x1000, .size = 0x1000, .flags = PF_R, .saved = filled(0x1000, 1)}};
  testing::Bytes bytes = core.build();
  GetParam().spoil(bytes);
  const auto target = target::open_core(directory.write("core", bytes));
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().kind, GetParam().kind) << target.error().reason;
  EXPECT_THAT(target.error().reason, HasSubstr(GetParam().text));
  EXPECT_THAT(target.error().reason, HasSubstr(directory.path()));
  EXPECT_EQ(target.error().reason.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Image, BadCore, ::testing::ValuesIn(bad_cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(ImageCore, RefusesWhatIsNoFile) {
  const auto missing = target::open_core(directory.path() + "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  const auto folder = target::open_core(directory.path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::not_a_core);
  EXPECT_THAT(folder.error().reason, HasSubstr("not a regular file"));
}

TEST_F(ImageCore, SaysThatPermissionIsDenied) {
  const std::string path = directory.write("core", good().build());
  std::filesystem::permissions(path, std::filesystem::perms::none);
  // The superuser may read every file, so it becomes somebody else for a moment.
  const bool superuser = ::geteuid() == 0;
  if (superuser) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto target = target::open_core(path);
  if (superuser) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().kind, ErrorKind::permission);
}

} // namespace
} // namespace pygc::image
