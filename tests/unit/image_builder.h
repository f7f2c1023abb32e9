// Small ELF cores and images made by hand, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>
#include <vector>

namespace pygc::image::testing {

using Bytes = std::vector<std::byte>;

inline void append(Bytes& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

template <class T> void append_plain(Bytes& to, const T& value) {
  append(to, &value, sizeof value);
}

inline void pad_to(Bytes& to, std::size_t alignment) {
  to.resize((to.size() + alignment - 1) / alignment * alignment);
}

inline Bytes filled(std::size_t size, int value) {
  return Bytes(size, static_cast<std::byte>(value));
}

inline void append_note(Bytes& to, std::uint32_t type, std::string_view name,
                        std::span<const std::byte> descriptor) {
  const Elf64_Nhdr header{.n_namesz = static_cast<Elf64_Word>(name.size() + 1),
                          .n_descsz = static_cast<Elf64_Word>(descriptor.size()),
                          .n_type = type};
  append_plain(to, header);
  append(to, std::string(name).c_str(), name.size() + 1);
  pad_to(to, 4);
  append(to, descriptor.data(), descriptor.size());
  pad_to(to, 4);
}

struct TestSegment {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t flags = PF_R;
  Bytes saved; // at most `size`
};

struct TestMapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  std::string path;
};

/// A core; every field may be spoilt before build().
struct CoreBuilder {
  Elf64_Ehdr header{};
  std::vector<TestSegment> segments;
  std::vector<TestMapping> mappings;
  Bytes notes;
  std::uint64_t skew = 0; // of the segments' file offsets, as gcore has it
  bool extended_count = false;

  CoreBuilder() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
  }

  void add_thread(int tid, int signal, std::uint64_t pc, std::uint64_t sp, std::uint64_t fs_base) {
    elf_prstatus status{};
    status.pr_pid = tid;
    status.pr_cursig = static_cast<short>(signal);
    user_regs_struct regs{};
    regs.rip = pc;
    regs.rsp = sp;
    regs.fs_base = fs_base;
    regs.rbx = 0xb0b;
    std::memcpy(&status.pr_reg, &regs, sizeof regs);
    append_note(notes, NT_PRSTATUS, "CORE", std::as_bytes(std::span(&status, 1)));
  }

  void add_pid(int pid) {
    elf_prpsinfo info{};
    info.pr_pid = pid;
    append_note(notes, NT_PRPSINFO, "CORE", std::as_bytes(std::span(&info, 1)));
  }

  void add_auxiliary(std::vector<std::pair<std::uint64_t, std::uint64_t>> values) {
    values.emplace_back(AT_NULL, 0);
    Bytes descriptor;
    for (const auto& [type, value] : values) {
      append_plain(descriptor, type);
      append_plain(descriptor, value);
    }
    append_note(notes, NT_AUXV, "CORE", descriptor);
  }

  Bytes build() const {
    Bytes all_notes = notes;
    if (!mappings.empty()) {
      Bytes files;
      append_plain(files, std::uint64_t{mappings.size()});
      append_plain(files, std::uint64_t{4096});
      for (const TestMapping& mapping : mappings) {
        append_plain(files, mapping.start);
        append_plain(files, mapping.end);
        append_plain(files, mapping.offset / 4096);
      }
      for (const TestMapping& mapping : mappings) {
        append(files, mapping.path.c_str(), mapping.path.size() + 1);
      }
      append_note(all_notes, NT_FILE, "CORE", files);
    }
    Elf64_Ehdr head = header;
    const std::size_t count = segments.size() + 1;
    const std::size_t first = sizeof head + count * sizeof(Elf64_Phdr);
    Elf64_Shdr section{};
    if (extended_count) {
      head.e_phnum = PN_XNUM;
      head.e_shoff = first;
      section.sh_info = static_cast<Elf64_Word>(count);
    } else {
      head.e_phnum = static_cast<Elf64_Half>(count);
    }
    Bytes body(first + sizeof section);
    std::vector<Elf64_Phdr> programs;
    const auto place = [&](const Bytes& bytes) {
      const std::size_t at = body.size();
      append(body, bytes.data(), bytes.size());
      return at;
    };
    programs.push_back({.p_type = PT_NOTE,
                        .p_flags = 0,
                        .p_offset = place(all_notes),
                        .p_vaddr = 0,
                        .p_paddr = 0,
                        .p_filesz = all_notes.size(),
                        .p_memsz = 0,
                        .p_align = 4});
    pad_to(body, 4096);
    body.resize(body.size() + skew);
    for (const TestSegment& segment : segments) {
      programs.push_back({.p_type = PT_LOAD,
                          .p_flags = segment.flags,
                          .p_offset = place(segment.saved),
                          .p_vaddr = segment.address,
                          .p_paddr = 0,
                          .p_filesz = segment.saved.size(),
                          .p_memsz = segment.size,
                          .p_align = 4096});
    }
    std::memcpy(body.data(), &head, sizeof head);
    std::memcpy(body.data() + sizeof head, programs.data(), count * sizeof(Elf64_Phdr));
    std::memcpy(body.data() + first, &section, sizeof section);
    return body;
  }
};

inline constexpr std::uint64_t library_size = 0x4000;

/// A shared library of four pages: headers and build-id, text (0x11), data (0x22), then .bss.
/// Addresses: 0 headers, 0x1000 text, 0x2000 data in the file's third page, 0x3000 .bss.
inline Bytes make_library(std::string_view build_id) {
  Elf64_Ehdr head = CoreBuilder().header;
  head.e_type = ET_DYN;
  std::vector<Elf64_Phdr> programs;
  const auto load = [&](std::uint32_t flags, std::uint64_t at, std::uint64_t file,
                        std::uint64_t memory) {
    programs.push_back({.p_type = PT_LOAD,
                        .p_flags = flags,
                        .p_offset = at,
                        .p_vaddr = at,
                        .p_paddr = 0,
                        .p_filesz = file,
                        .p_memsz = memory,
                        .p_align = 4096});
  };
  load(PF_R, 0, 0x1000, 0x1000);
  load(PF_R | PF_X, 0x1000, 0x1000, 0x1000);
  load(PF_R | PF_W, 0x2000, 0x1000, 0x2000);
  Bytes note;
  if (!build_id.empty()) {
    append_note(note, NT_GNU_BUILD_ID, "GNU", std::as_bytes(std::span(build_id)));
    programs.push_back({.p_type = PT_NOTE,
                        .p_flags = PF_R,
                        .p_offset = 0x400,
                        .p_vaddr = 0x400,
                        .p_paddr = 0,
                        .p_filesz = note.size(),
                        .p_memsz = note.size(),
                        .p_align = 4});
  }
  head.e_phnum = static_cast<Elf64_Half>(programs.size());
  Bytes file;
  append_plain(file, head);
  append(file, programs.data(), programs.size() * sizeof(Elf64_Phdr));
  file.resize(0x400);
  append(file, note.data(), note.size());
  file.resize(0x1000);
  file.insert(file.end(), 0x1000, std::byte{0x11});
  file.insert(file.end(), 0x1000, std::byte{0x22});
  return file;
}

/// A directory that goes away with the test.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "pygc-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) == nullptr ? std::string() : name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string write(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path file = path_ + "/" + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file.string();
  }

private:
  std::string path_;
};

} // namespace pygc::image::testing
