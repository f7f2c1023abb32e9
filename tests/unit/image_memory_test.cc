// The target's memory put together from a hand-made core and a hand-made library.
#include "common/image/elf/disk_cache.h"
#include "common/image/module.h"
#include "common/image/process/process_image.h"
#include "common/target/core/core_file.h"
#include "tests/unit/image_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace pygc::image {
namespace {

using testing::CoreBuilder;
using testing::filled;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

constexpr Address library_base = 0x7f0000000000;
constexpr std::string_view build_id = "\x01\x02\x03\x04\x05\x06\x07\x08";

class ImageMemory : public ::testing::Test {
protected:
  ImageMemory() { options.debug_directories = {directory.path() + "/debug"}; }

  // The library as a kernel core with filter 0x33 has it: header page saved, text not, data saved
  // once written, .bss an anonymous mapping of its own.
  CoreBuilder core_of(const testing::Bytes& in_memory, const std::string& path) const {
    CoreBuilder core;
    core.add_thread(1, 6, library_base + 0x1000, 0x5000, 0);
    core.add_auxiliary({{AT_PHDR, library_base + 0x40}});
    const testing::Bytes header(in_memory.begin(), in_memory.begin() + 0x1000);
    core.segments = {
        {.address = library_base, .size = 0x1000, .flags = PF_R, .saved = header},
        {.address = library_base + 0x1000, .size = 0x1000, .flags = PF_R | PF_X, .saved = {}},
        {.address = library_base + 0x2000,
         .size = 0x1000,
         .flags = PF_R | PF_W,
         .saved = filled(0x1000, 0x33)},
        {.address = library_base + 0x3000, .size = 0x1000, .flags = PF_R | PF_W, .saved = {}},
        {.address = library_base + 0x10000, .size = 0x1000, .flags = PF_R | PF_W, .saved = {}}};
    core.mappings = {
        {.start = library_base, .end = library_base + 0x1000, .offset = 0, .path = path},
        {.start = library_base + 0x1000,
         .end = library_base + 0x2000,
         .offset = 0x1000,
         .path = path},
        {.start = library_base + 0x2000,
         .end = library_base + 0x3000,
         .offset = 0x2000,
         .path = path}};
    return core;
  }

  const ProcessImage& open(const testing::Bytes& core) {
    auto target = target::open_core(directory.write("core", core));
    EXPECT_TRUE(target);
    core_target = std::move(*target);
    auto image = open_process_image(*core_target, options);
    EXPECT_TRUE(image);
    process = std::move(*image);
    return *process;
  }

  int byte_at(Address address) const {
    const auto value = process->memory().load<std::uint8_t>(address);
    return value ? *value : -1;
  }

  Error error_at(Address address) const {
    const auto value = process->memory().load<std::uint8_t>(address);
    return value ? Error{.kind = ErrorKind::internal, .address = 0, .reason = "readable"}
                 : value.error();
  }

  TemporaryDirectory directory;
  FileOptions options;
  std::unique_ptr<target::Target> core_target;
  std::unique_ptr<ProcessImage> process;
};

TEST_F(ImageMemory, TakesUnsavedTextFromTheFile) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  open(core_of(library, path).build());
  ASSERT_EQ(process->modules().size(), 1U);
  const Module& module = *process->modules()[0];
  EXPECT_EQ(module.file_state(), FileState::found) << module.file_problem();
  EXPECT_EQ(module.build_id(), "0102030405060708");
  EXPECT_EQ(module.load_bias(), library_base);
  EXPECT_EQ(module.extent().start, library_base);
  EXPECT_EQ(module.extent().end, library_base + testing::library_size);
  ASSERT_EQ(module.static_storage().size(), 1U);
  EXPECT_EQ(module.static_storage()[0].start, library_base + 0x2000);
  EXPECT_EQ(module.static_storage()[0].end, library_base + 0x4000);
  ASSERT_EQ(module.code().size(), 1U);
  EXPECT_EQ(module.code()[0].start, library_base + 0x1000);

  EXPECT_EQ(byte_at(library_base + 1), 'E');
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11); // from the file
  EXPECT_EQ(byte_at(library_base + 0x2000), 0x33); // saved, not the file's 0x22
  EXPECT_EQ(byte_at(library_base + 0x3000), 0);    // .bss that nobody touched
  const Region* text = process->memory().find(library_base + 0x1000);
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->source, Source::file);
  EXPECT_TRUE(text->permissions.execute);
  EXPECT_FALSE(text->permissions.write);
  EXPECT_EQ(process->module_at(library_base + 0x1234), &module);
  EXPECT_EQ(process->module_at(library_base + 0x4000), nullptr);
  EXPECT_EQ(process->describe_code(library_base + 0x1234), "lib.so+0x1234");
}

TEST_F(ImageMemory, TellsUnmappedFromNotSaved) {
  const auto library = testing::make_library(build_id);
  open(core_of(library, directory.write("lib.so", library)).build());
  const Error unsaved = error_at(library_base + 0x10010);
  EXPECT_EQ(unsaved.kind, ErrorKind::memory_not_saved);
  EXPECT_EQ(unsaved.address, library_base + 0x10010);
  const Error unmapped = error_at(0x1234);
  EXPECT_EQ(unmapped.kind, ErrorKind::memory_unmapped);
  EXPECT_EQ(unmapped.address, 0x1234U);
  // The first byte that lacks is named, wherever the range begins.
  std::array<std::byte, 0x20> to{};
  const auto across = process->memory().read(library_base + 0x3ff0, to);
  ASSERT_FALSE(across);
  EXPECT_EQ(across.error().kind, ErrorKind::memory_unmapped);
  EXPECT_EQ(across.error().address, library_base + 0x4000);
  const auto view = process->memory().view(library_base + 0x3ff0, 0x20);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().address, library_base + 0x4000);
}

TEST_F(ImageMemory, ReadsAcrossRegions) {
  const auto library = testing::make_library(build_id);
  open(core_of(library, directory.write("lib.so", library)).build());
  std::array<std::uint8_t, 4> bytes{};
  ASSERT_TRUE(
      process->memory().read(library_base + 0x1ffe, std::as_writable_bytes(std::span(bytes))));
  EXPECT_THAT(bytes, ::testing::ElementsAre(0x11, 0x11, 0x33, 0x33));
  EXPECT_EQ(process->memory().load<std::uint32_t>(library_base + 0x1ffe), 0x33331111U);
  EXPECT_EQ(process->memory().host(library_base + 0x1ffe, 4), nullptr);
  EXPECT_FALSE(process->memory().load<std::uint64_t>(UINT64_MAX - 3));
}

TEST_F(ImageMemory, NeverUsesAFileOfAnotherBuild) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", testing::make_library("another!"));
  open(core_of(library, path).build());
  const Module& module = *process->modules().at(0);
  EXPECT_EQ(module.file_state(), FileState::build_id_mismatch);
  EXPECT_EQ(module.build_id(), "0102030405060708");
  EXPECT_EQ(module.file_path(), "");
  EXPECT_THAT(module.file_problem(), HasSubstr("0102030405060708"));
  const Error error = error_at(library_base + 0x1000);
  EXPECT_EQ(error.kind, ErrorKind::memory_not_saved);
  EXPECT_THAT(error.reason, HasSubstr("build-id"));
  EXPECT_EQ(byte_at(library_base + 0x2000), 0x33); // what was saved stays
}

TEST_F(ImageMemory, FindsTheRightFileElsewhere) {
  const auto library = testing::make_library(build_id);
  const std::string wrong = directory.write("lib.so", testing::make_library("another!"));
  const std::string right = directory.write("debug/.build-id/01/02030405060708", library);
  open(core_of(library, wrong).build());
  EXPECT_EQ(process->modules().at(0)->file_path(), right);
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11);
}

TEST_F(ImageMemory, LooksInTheSysrootFirst) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  const std::string copy = directory.write("root" + path, library);
  options.sysroot = directory.path() + "/root";
  open(core_of(library, path).build());
  EXPECT_EQ(process->modules().at(0)->file_path(), copy);
  std::filesystem::remove(copy);
  open(core_of(library, path).build());
  EXPECT_EQ(process->modules().at(0)->file_path(), path);
}

TEST_F(ImageMemory, UsesOrRefusesTheExecutableThatTheUserNames) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  options.executable = directory.write("named", library);
  open(core_of(library, path).build());
  EXPECT_EQ(process->modules().at(0)->file_path(), options.executable);
  options.executable = directory.write("wrong", testing::make_library("another!"));
  open(core_of(library, path).build());
  EXPECT_EQ(process->modules().at(0)->file_state(), FileState::build_id_mismatch);
  EXPECT_EQ(error_at(library_base + 0x1000).kind, ErrorKind::memory_not_saved);
}

TEST_F(ImageMemory, SaysWhyAFileIsMissing) {
  const auto library = testing::make_library(build_id);
  open(core_of(library, "/nonexistent/lib.so").build());
  const Module& module = *process->modules().at(0);
  EXPECT_EQ(module.file_state(), FileState::missing);
  EXPECT_THAT(module.file_problem(), HasSubstr("/nonexistent/lib.so"));
  EXPECT_THAT(error_at(library_base + 0x1000).reason, HasSubstr("/nonexistent/lib.so"));
  EXPECT_FALSE(module.has_symtab());
  EXPECT_FALSE(module.has_dwarf());
  EXPECT_EQ(module.find_symbol("x").error().kind, ErrorKind::no_symbol);
  EXPECT_EQ(module.layouts({{.name = "x", .members = {}}}).error().kind, ErrorKind::no_debug_info);
}

TEST_F(ImageMemory, TrustsADeletedFileByBuildIdOnly) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  open(core_of(library, path + " (deleted)").build());
  EXPECT_EQ(process->modules().at(0)->file_state(), FileState::found);
  const auto anonymous = testing::make_library("");
  directory.write("lib.so", anonymous);
  open(core_of(anonymous, path + " (deleted)").build());
  EXPECT_EQ(process->modules().at(0)->file_state(), FileState::missing);
}

TEST_F(ImageMemory, WithoutBuildIdTheMappingsMustFit) {
  const auto library = testing::make_library("");
  const std::string path = directory.write("lib.so", library);
  CoreBuilder core = core_of(library, path);
  open(core.build());
  EXPECT_EQ(process->modules().at(0)->file_state(), FileState::found);
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11);
  core.mappings[1].offset = 0x5000;
  open(core.build());
  EXPECT_EQ(process->modules().at(0)->file_state(), FileState::build_id_mismatch);
  EXPECT_EQ(byte_at(library_base + 0x1000), -1);
}

TEST_F(ImageMemory, KnowsTheFileByItsHeadersWhenTheCoreHasNone) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  CoreBuilder core = core_of(library, path);
  core.segments[0].saved.clear();
  open(core.build());
  EXPECT_EQ(process->modules().at(0)->build_id(), "0102030405060708");
  EXPECT_EQ(byte_at(library_base), 0x7f);
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11);
}

TEST_F(ImageMemory, MapsWhatTheCoreHasNoSegmentFor) {
  const auto library = testing::make_library(build_id);
  CoreBuilder core = core_of(library, directory.write("lib.so", library));
  core.segments.erase(core.segments.begin() + 1);
  open(core.build());
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11);
  EXPECT_TRUE(process->memory().find(library_base + 0x1000)->permissions.execute);
}

TEST_F(ImageMemory, UnwrittenDataIsTheFilesUnlessTheCoreIsTruncated) {
  const auto library = testing::make_library(build_id);
  CoreBuilder core = core_of(library, directory.write("lib.so", library));
  core.segments[2].saved.clear();
  core.segments[4].saved = filled(0x1000, 0x44);
  const testing::Bytes whole = core.build();
  open(whole);
  EXPECT_EQ(byte_at(library_base + 0x2000), 0x22);
  EXPECT_EQ(byte_at(library_base + 0x10000), 0x44);
  open({whole.begin(), whole.end() - 0x800});
  EXPECT_TRUE(core_target->info().truncated);
  EXPECT_EQ(byte_at(library_base + 0x1000), 0x11); // text is text
  EXPECT_EQ(error_at(library_base + 0x2000).kind, ErrorKind::memory_not_saved);
  EXPECT_EQ(error_at(library_base + 0x10000).kind, ErrorKind::memory_not_saved);
}

TEST_F(ImageMemory, ReadsSegmentsAtOddOffsets) {
  const auto library = testing::make_library(build_id);
  CoreBuilder core = core_of(library, directory.write("lib.so", library));
  core.skew = 0x123;
  open(core.build());
  EXPECT_EQ(process->modules().at(0)->build_id(), "0102030405060708");
  EXPECT_EQ(byte_at(library_base + 0x2fff), 0x33);
}

TEST_F(ImageMemory, JoinsNeighbours) {
  CoreBuilder core;
  core.segments = {
      {.address = 0x10000, .size = 0x1000, .flags = PF_R, .saved = filled(0x1000, 1)},
      {.address = 0x11000, .size = 0x2000, .flags = PF_R, .saved = filled(0x2000, 2)},
      {.address = 0x13000, .size = 0x1000, .flags = PF_R | PF_W, .saved = filled(0x1000, 3)}};
  open(core.build());
  ASSERT_EQ(process->memory().regions().size(), 2U);
  EXPECT_EQ(process->memory().regions()[0].end, 0x13000U);
  EXPECT_TRUE(process->memory().view(0x10800, 0x1000));
}

TEST_F(ImageMemory, ReadsStrings) {
  CoreBuilder core;
  core.segments = {
      {.address = 0x10000, .size = 0x1000, .flags = PF_R, .saved = filled(0x1000, 'x')}};
  core.segments[0].saved[5] = std::byte{0};
  open(core.build());
  EXPECT_EQ(process->memory().load_string(0x10000), "xxxxx");
  EXPECT_EQ(process->memory().load_string(0x10006, 4), "xxxx");
  EXPECT_EQ(process->memory().load_string(0x10ffe).error().address, 0x11000U);
}

TEST_F(ImageMemory, SurvivesHostileImageHeaders) {
  auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  const auto program = [&](std::size_t index) {
    return library.data() + sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr);
  };
  Elf64_Phdr spoilt;
  std::memcpy(&spoilt, program(2), sizeof spoilt);
  for (const std::uint64_t memory_size : {UINT64_MAX, std::uint64_t{1} << 46, std::uint64_t{0}}) {
    spoilt.p_memsz = memory_size;
    spoilt.p_filesz = UINT64_MAX;
    std::memcpy(program(2), &spoilt, sizeof spoilt);
    open(core_of(library, path).build());
    EXPECT_EQ(byte_at(library_base + 0x2000), 0x33);
    EXPECT_EQ(byte_at(library_base + 0x10000), -1);
  }
}

TEST_F(ImageMemory, SurvivesSpoiltBytes) {
  const auto library = testing::make_library(build_id);
  const std::string path = directory.write("lib.so", library);
  const testing::Bytes good = core_of(library, path).build();
  std::minstd_rand random(1);
  int opened = 0;
  for (int round = 0; round < 500; ++round) {
    testing::Bytes bytes = good;
    for (int i = 0; i < 3; ++i) {
      // The headers, the notes, and the image's own headers in the first saved page.
      bytes[random() % 0x2500] = static_cast<std::byte>(random());
    }
    auto target = target::open_core(directory.write("core", bytes));
    if (!target) {
      EXPECT_FALSE(target.error().reason.empty());
      continue;
    }
    const auto image = open_process_image(**target, options);
    if (!image) {
      continue;
    }
    ++opened;
    Address last_end = 0;
    for (const Region& region : (*image)->memory().regions()) {
      EXPECT_GE(region.start, last_end);
      EXPECT_LT(region.start, region.end);
      last_end = region.end;
      if (region.host != nullptr) {
        EXPECT_TRUE((*image)->memory().load<std::uint8_t>(region.start));
        EXPECT_TRUE((*image)->memory().load<std::uint8_t>(region.end - 1));
      }
    }
    for (const auto& module : (*image)->modules()) {
      EXPECT_FALSE(module->find_symbol("x"));
    }
  }
  EXPECT_GT(opened, 100);
}

TEST(ImageCache, KeepsAndForgets) {
  const TemporaryDirectory directory;
  ::setenv("PYGC_CACHE_DIR", (directory.path() + "/deep/cache").c_str(), 1);
  {
    DiskCache cache("0102");
    EXPECT_FALSE(cache.get("layouts", "x"));
    cache.put("layouts", "x", 5);
    cache.put("layouts", "none", nullptr);
  }
  EXPECT_EQ(DiskCache("0102").get("layouts", "x"), nlohmann::json(5));
  EXPECT_EQ(DiskCache("0102").get("layouts", "none"), nlohmann::json());
  EXPECT_FALSE(DiskCache("0103").get("layouts", "x"));
  const auto cached = directory.path() + "/deep/cache/0102.json";
  const std::string other_build = R"({"schema":"pygc.cache/1","build_id":"ff"})";
  const std::string bad_section = R"({"schema":"pygc.cache/1","build_id":"0102","layouts":[1]})";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"),
        std::string(R"({"schema":"pygc.cache/0"})"), other_build, bad_section}) {
    std::ofstream(cached) << text;
    DiskCache cache("0102");
    EXPECT_FALSE(cache.get("layouts", "x")) << text;
    cache.put("layouts", "y", 1);
  }
  EXPECT_EQ(DiskCache("0102").get("layouts", "y"), nlohmann::json(1));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path() + "/deep/cache"),
                          std::filesystem::directory_iterator()),
            1); // no temporary file is left
  ::unsetenv("PYGC_CACHE_DIR");
}

} // namespace
} // namespace pygc::image
