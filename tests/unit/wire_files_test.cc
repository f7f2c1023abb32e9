// Which of a debugger's open files is its target's core: cores made by hand, honest and hostile.
#include "common/protocol/wire_files.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::wire {
namespace {

constexpr Address memory_at = 0x10000;
constexpr std::size_t memory_size = 256;
constexpr Address pc = 0x1234;
constexpr Address sp = 0x10040;
constexpr std::size_t prstatus_size = 336;
constexpr std::size_t notes_at = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
constexpr std::size_t notes_size = sizeof(Elf64_Nhdr) + 8 + prstatus_size;

/// A core of one thread and one segment; fields are changed before bytes() puts it together.
struct MadeCore {
  Elf64_Ehdr header{};
  Elf64_Phdr notes{};
  Elf64_Phdr load{};
  Elf64_Nhdr note{};
  std::array<unsigned char, prstatus_size> prstatus{};
  std::string memory;

  MadeCore() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    notes.p_type = PT_NOTE;
    notes.p_offset = notes_at;
    notes.p_filesz = notes_size;
    load.p_type = PT_LOAD;
    load.p_offset = notes_at + notes_size;
    load.p_vaddr = memory_at;
    load.p_filesz = load.p_memsz = memory_size;
    note = {.n_namesz = 5, .n_descsz = prstatus_size, .n_type = NT_PRSTATUS};
    set_registers(pc, sp);
    for (std::size_t i = 0; i < memory_size; i++) {
      memory += static_cast<char>(i);
    }
  }
  void set_registers(Address its_pc, Address its_sp) {
    std::memcpy(prstatus.data() + 240, &its_pc, 8); // as <sys/procfs.h> has it
    std::memcpy(prstatus.data() + 264, &its_sp, 8);
  }
  std::string bytes() const {
    std::string all;
    const auto add = [&](const void* from, std::size_t size) {
      all.append(static_cast<const char*>(from), size);
    };
    add(&header, sizeof header);
    add(&notes, sizeof notes);
    add(&load, sizeof load);
    add(&note, sizeof note);
    constexpr std::array<char, 8> name = {'C', 'O', 'R', 'E'};
    add(name.data(), name.size());
    add(prstatus.data(), prstatus.size());
    return all + memory;
  }
};

UniqueFd file_with(const std::string& bytes) {
  UniqueFd fd(::memfd_create("pygc-made-core", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return fd;
}

/// What the debugger shows: the memory of an unchanged MadeCore.
bool read_memory(Address address, std::byte* to, std::size_t size) {
  const MadeCore core;
  if (address < memory_at || address + size > memory_at + memory_size) {
    return false;
  }
  std::memcpy(to, core.memory.data() + (address - memory_at), size);
  return true;
}

bool is_target(const std::string& bytes) {
  return core_is_target(file_with(bytes).get(), pc, sp, read_memory);
}

TEST(CoreOfTarget, IsFoundByThreadAndMemory) {
  EXPECT_TRUE(is_target(MadeCore().bytes()));
}

TEST(CoreOfTarget, IsNotOneWhoseThreadStoppedElsewhere) {
  MadeCore core;
  core.set_registers(pc + 1, sp);
  EXPECT_FALSE(is_target(core.bytes()));
  core.set_registers(pc, sp + 8);
  EXPECT_FALSE(is_target(core.bytes()));
}

TEST(CoreOfTarget, IsNotOneWithOtherMemory) {
  MadeCore core;
  core.memory[3] = 'x';
  EXPECT_FALSE(is_target(core.bytes()));
}

TEST(CoreOfTarget, MayBeTruncated) {
  EXPECT_TRUE(is_target(MadeCore().bytes().substr(0, notes_at + notes_size + 10)));
}

TEST(CoreOfTarget, MayLackRegisters) {
  MadeCore core;
  core.note.n_type = NT_AUXV;
  EXPECT_TRUE(is_target(core.bytes()));
  core.memory[3] = 'x';
  EXPECT_FALSE(is_target(core.bytes()));
}

TEST(CoreOfTarget, IsNoOtherElfFile) {
  MadeCore core;
  core.header.e_type = ET_DYN;
  EXPECT_FALSE(is_target(core.bytes()));
  core = MadeCore();
  core.header.e_machine = EM_AARCH64;
  EXPECT_FALSE(is_target(core.bytes()));
  EXPECT_FALSE(is_target("\177ELF"));
  EXPECT_FALSE(is_target(""));
}

// Sizes that a hostile file makes up: no overflow, no huge allocation, no endless loop.
TEST(CoreOfTarget, SurvivesHostileSizes) {
  MadeCore core;
  core.header.e_phnum = PN_XNUM;
  core.header.e_shoff = ~std::uint64_t{0};
  EXPECT_FALSE(is_target(core.bytes()));
  core = MadeCore();
  core.header.e_phnum = 0xfffe;
  EXPECT_FALSE(is_target(core.bytes()));
  core = MadeCore();
  core.notes.p_filesz = ~std::uint64_t{0};
  EXPECT_TRUE(is_target(core.bytes())); // by its memory
  core = MadeCore();
  core.note.n_namesz = 0xffffffff;
  core.load.p_type = PT_NULL;
  EXPECT_FALSE(is_target(core.bytes()));
  core = MadeCore();
  core.note.n_descsz = 0xffffffff;
  core.load.p_type = PT_NULL;
  EXPECT_FALSE(is_target(core.bytes()));
  core = MadeCore();
  core.load.p_vaddr = ~Address{0} - 10;
  core.note.n_type = NT_AUXV;
  EXPECT_FALSE(is_target(core.bytes()));
}

TEST(OpenFiles, CoresAreFoundOnceWithADescriptorOfOurOwn) {
  const UniqueFd core = file_with(MadeCore().bytes());
  const UniqueFd again(::dup(core.get()));
  const UniqueFd other = file_with("no core");
  std::vector<OpenFile> made;
  for (auto& file : find_cores()) {
    if (file.path.find("pygc-made-core") != std::string::npos) {
      made.push_back(std::move(file));
    }
  }
  ASSERT_EQ(made.size(), 1U);
  ::lseek(core.get(), 0, SEEK_SET);
  ::lseek(made[0].fd.get(), 100, SEEK_SET);
  EXPECT_EQ(::lseek(core.get(), 0, SEEK_CUR), 0);
}

TEST(OpenFiles, ExecutablesAreNoLibraries) {
  const auto count = [] { return find_executables().size(); };
  const std::size_t before = count();
  const UniqueFd library(::open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(library);
  EXPECT_EQ(count(), before);
  const UniqueFd executable(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(executable);
  EXPECT_EQ(count(), before + 1);
}

TEST(OpenFiles, ProcessMemoriesTellThePid) {
  EXPECT_TRUE(find_traced_processes().empty());
  const UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(find_traced_processes(), std::vector<std::int64_t>{::getpid()});
}

TEST(ProcessMemory, IsTakenOnlyWhenItAgrees) {
  alignas(64) std::array<unsigned char, 64> here{};
  here.fill(0x5a);
  const auto at = reinterpret_cast<std::uintptr_t>(here.data());
  const Read same = [](Address address, std::byte* to, std::size_t size) {
    std::memcpy(to, reinterpret_cast<const void*>(address), size);
    return true;
  };
  const Read other = [](Address, std::byte* to, std::size_t size) {
    std::memset(to, 0x5b, size);
    return true;
  };
  EXPECT_TRUE(open_process_memory(::getpid(), at, same));
  EXPECT_FALSE(open_process_memory(::getpid(), at, other));
  EXPECT_FALSE(open_process_memory(::getpid(), at, [](auto...) { return false; }));
}

} // namespace
} // namespace pygc::wire
