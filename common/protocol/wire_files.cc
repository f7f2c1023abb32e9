#include "common/protocol/wire_files.h"

#include "common/base/own_descriptors.h"
#include "common/machine/machine.h"
#include "common/protocol/wire_maps.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sys/stat.h>

namespace pygc::wire {
namespace {

constexpr std::size_t max_program_headers = std::size_t{1} << 20;
constexpr std::size_t max_note_bytes = std::size_t{64} << 20;
constexpr std::size_t sampled_segments = 16;
constexpr std::size_t sample_size = 64;

bool read_at(int fd, std::uint64_t offset, void* to, std::size_t size) {
  auto* out = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t n = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (n <= 0) {
      return false;
    }
    out += n;
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<Elf64_Ehdr> elf_header(int fd) {
  Elf64_Ehdr header;
  if (!read_at(fd, 0, &header, sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != machine::elf_machine || header.e_phentsize != sizeof(Elf64_Phdr)) {
    return std::nullopt;
  }
  return header;
}

std::vector<Elf64_Phdr> program_headers(int fd, const Elf64_Ehdr& header) {
  std::size_t count = header.e_phnum;
  if (count == PN_XNUM) { // too many for 16 bits: section 0 says how many
    Elf64_Shdr first;
    if (!read_at(fd, header.e_shoff, &first, sizeof first)) {
      return {};
    }
    count = first.sh_info;
  }
  struct stat file{};
  if (::fstat(fd, &file) != 0 ||
      count > std::min(max_program_headers,
                       static_cast<std::size_t>(file.st_size) / sizeof(Elf64_Phdr))) {
    return {};
  }
  std::vector<Elf64_Phdr> headers(count);
  if (!read_at(fd, header.e_phoff, headers.data(), count * sizeof(Elf64_Phdr))) {
    return {};
  }
  return headers;
}

bool is_core(int fd) {
  const auto header = elf_header(fd);
  return header && header->e_type == ET_CORE;
}

// A position-independent executable says so in its dynamic section: libc.so.6 has an interpreter,
// too.
bool is_executable(int fd) {
  const auto header = elf_header(fd);
  if (!header || header->e_type == ET_EXEC) {
    return header.has_value();
  }
  if (header->e_type != ET_DYN) {
    return false;
  }
  for (const auto& segment : program_headers(fd, *header)) {
    if (segment.p_type != PT_DYNAMIC) {
      continue;
    }
    for (std::uint64_t o = 0; o + sizeof(Elf64_Dyn) <= segment.p_filesz; o += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      if (!read_at(fd, segment.p_offset + o, &entry, sizeof entry) || entry.d_tag == DT_NULL) {
        break;
      }
      if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0) {
        return true;
      }
    }
  }
  return false;
}

struct Link {
  std::string name; // under /proc/self/fd
  std::string path; // what it leads to
};

std::vector<Link> open_links() {
  std::vector<Link> links;
  for (const int fd : own_descriptors()) {
    std::array<char, 4096> path{};
    Link link{.name = "/proc/self/fd/" + std::to_string(fd), .path = {}};
    const ssize_t n = ::readlink(link.name.c_str(), path.data(), path.size());
    if (n > 0) {
      link.path.assign(path.data(), static_cast<std::size_t>(n));
      links.push_back(std::move(link));
    }
  }
  return links;
}

void add_file(std::vector<OpenFile>& files, std::vector<std::pair<dev_t, ino_t>>& seen,
              const std::string& name, const std::string& path, bool (*wanted)(int)) {
  struct stat status{};
  // Never open a FIFO or a device only to look at it.
  if (::stat(name.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return;
  }
  const std::pair identity(status.st_dev, status.st_ino);
  if (std::ranges::find(seen, identity) != seen.end()) {
    return;
  }
  UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd && wanted(fd.get())) {
    seen.push_back(identity);
    files.push_back({.fd = std::move(fd), .path = path});
  }
}

enum class Threads { none, elsewhere, here };

/// Whether one of the threads in the core's notes stopped at this pc and sp.
Threads threads_at(int core, const std::vector<Elf64_Phdr>& segments, Address pc, Address sp) {
  Threads found = Threads::none;
  for (const auto& segment : segments) {
    if (segment.p_type != PT_NOTE || segment.p_filesz > max_note_bytes) {
      continue;
    }
    std::vector<char> notes(segment.p_filesz);
    if (!read_at(core, segment.p_offset, notes.data(), notes.size())) {
      continue;
    }
    std::uint64_t at = 0;
    while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
      Elf64_Nhdr note;
      std::memcpy(&note, notes.data() + at, sizeof note);
      const std::uint64_t name_size = (std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3};
      const std::uint64_t body = at + sizeof note + name_size;
      const std::uint64_t body_size = (std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3};
      if (body > notes.size() || body_size > notes.size() - body) {
        break;
      }
      if (note.n_type == NT_PRSTATUS && note.n_descsz >= machine::prstatus_sp_offset + 8) {
        Address its_pc = 0;
        Address its_sp = 0;
        std::memcpy(&its_pc, notes.data() + body + machine::prstatus_pc_offset, 8);
        std::memcpy(&its_sp, notes.data() + body + machine::prstatus_sp_offset, 8);
        if (its_pc == pc && its_sp == sp) {
          return Threads::here;
        }
        found = Threads::elsewhere;
      }
      at = body + body_size;
    }
  }
  return found;
}

enum class Sample { missing, same, different };

Sample compare(int fd, std::uint64_t offset, Address address, const Read& read) {
  std::array<std::byte, sample_size> ours{};
  std::array<std::byte, sample_size> theirs{};
  if (!read_at(fd, offset, ours.data(), ours.size()) ||
      !read(address, theirs.data(), theirs.size())) {
    return Sample::missing;
  }
  return ours == theirs ? Sample::same : Sample::different;
}

} // namespace

std::vector<OpenFile> find_cores() {
  std::vector<OpenFile> files;
  std::vector<std::pair<dev_t, ino_t>> seen;
  for (const auto& link : open_links()) {
    add_file(files, seen, link.name, link.path, is_core);
  }
  std::ifstream maps("/proc/self/maps");
  std::string last;
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.find('/');
    if (slash != std::string::npos && line.substr(slash) != last) {
      last = line.substr(slash);
      add_file(files, seen, last, last, is_core);
    }
  }
  return files;
}

std::vector<OpenFile> find_executables() {
  std::vector<OpenFile> files;
  std::vector<std::pair<dev_t, ino_t>> seen;
  for (const auto& link : open_links()) {
    add_file(files, seen, link.name, link.path, is_executable);
  }
  return files;
}

std::vector<std::int64_t> find_traced_processes() {
  std::vector<std::int64_t> pids;
  for (const auto& link : open_links()) {
    constexpr std::string_view prefix = "/proc/";
    constexpr std::string_view suffix = "/mem";
    if (!link.path.starts_with(prefix) || !link.path.ends_with(suffix)) {
      continue;
    }
    std::int64_t pid = 0;
    const char* first = link.path.data() + prefix.size();
    const auto parsed = std::from_chars(first, link.path.data() + link.path.size(), pid);
    if (parsed.ptr != first && std::ranges::find(pids, pid) == pids.end()) {
      pids.push_back(pid);
    }
  }
  return pids;
}

bool core_is_target(int core, Address pc, Address sp, const Read& read) {
  const auto header = elf_header(core);
  if (!header || header->e_type != ET_CORE) {
    return false;
  }
  const auto segments = program_headers(core, *header);
  const Threads threads = threads_at(core, segments, pc, sp);
  if (threads == Threads::elsewhere) {
    return false;
  }
  std::vector<const Elf64_Phdr*> saved;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && segment.p_filesz >= sample_size &&
        segment.p_vaddr <= ~Address{0} - segment.p_filesz) {
      saved.push_back(&segment);
    }
  }
  std::size_t same = 0;
  std::size_t different = 0;
  const std::size_t step = std::max<std::size_t>(1, saved.size() / sampled_segments);
  for (std::size_t i = 0; i < saved.size(); i += step) {
    const Sample sample = compare(core, saved[i]->p_offset, saved[i]->p_vaddr, read);
    same += sample == Sample::same ? 1U : 0U;
    different += sample == Sample::different ? 1U : 0U;
  }
  // A truncated core may have no sample left; then its thread must do. Without registers it is the
  // samples alone. A debugger may show an executable's bytes for some segments.
  return (threads == Threads::here || same > 0) && different <= same;
}

UniqueFd open_process_memory(std::int64_t pid, Address sp, const Read& read) {
  UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || compare(fd.get(), sp, sp, read) != Sample::same) {
    return {};
  }
  // Stacks may be equal, as after a fork.
  auto mappings = process_mappings(pid).mappings;
  std::erase_if(mappings, [](const Mapping& mapping) {
    return !mapping.permissions.read || !mapping.permissions.write ||
           mapping.path.starts_with("/dev/");
  });
  const std::size_t step = std::max<std::size_t>(1, mappings.size() / sampled_segments);
  for (std::size_t i = 0; i < mappings.size(); i += step) {
    const Address start = mappings[i].start;
    if (compare(fd.get(), start, start, read) == Sample::different) {
      return {};
    }
  }
  return fd;
}

} // namespace pygc::wire
