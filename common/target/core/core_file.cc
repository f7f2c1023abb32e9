#include "common/target/core/core_file.h"

#include "common/base/file_error.h"
#include "common/elf/elf_headers.h"
#include "common/machine/machine.h"
#include "common/target/core/core_notes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace pygc::target {
namespace {

// Of all note segments together: those of a core with 100,000 threads take 350 MB.
constexpr std::uint64_t max_core_notes = std::uint64_t{512} << 20;

bool read_file(int fd, std::uint64_t position, std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    std::uint64_t at = 0;
    if (__builtin_add_overflow(position, done, &at) || at > INT64_MAX) {
      return false;
    }
    const ssize_t n = ::pread(fd, to.data() + done, to.size() - done, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    done += static_cast<std::size_t>(n);
  }
  return true;
}

std::string_view type_name(std::uint16_t type) {
  switch (type) {
  case ET_REL:
    return "an object file";
  case ET_EXEC:
    return "an executable";
  case ET_DYN:
    return "a shared library or position-independent executable";
  default:
    return "an ELF file of another type";
  }
}

class CoreFile final : public Target {
public:
  /// `origin`: where in the file the core begins.
  CoreFile(UniqueFd fd, std::uint64_t origin, std::uint64_t size)
      : fd_(std::move(fd)), origin_(origin), size_(size) {}

  Result<void> read(const std::string& path);

  const Info& info() const override { return info_; }
  const std::vector<Segment>& segments() const override { return segments_; }
  const std::vector<FileMapping>& file_mappings() const override { return notes_.mappings; }
  const std::vector<Thread>& threads() const override { return notes_.threads; }
  int backing_fd() const override { return fd_.get(); }

private:
  void add_segment(const Elf64_Phdr& program);
  void add_notes(const Elf64_Phdr& program);
  void order_segments();
  std::string executable_path() const;
  std::string saved_string(Address address) const;

  UniqueFd fd_;
  std::uint64_t origin_ = 0;
  std::uint64_t size_ = 0;
  Info info_;
  std::vector<Segment> segments_;
  CoreNotes notes_;
  std::uint64_t notes_read_ = 0;
};

void CoreFile::add_segment(const Elf64_Phdr& program) {
  // Dumpers write whole pages below the end of user space; anything else cannot have been mapped.
  std::uint64_t end = 0;
  if (__builtin_add_overflow(program.p_vaddr, program.p_memsz, &end) ||
      end > machine::user_space_end || program.p_memsz == 0) {
    return;
  }
  const std::uint64_t promised = std::min(program.p_filesz, program.p_memsz);
  const std::uint64_t there = program.p_offset < size_ ? size_ - program.p_offset : 0;
  if (promised > there) {
    info_.truncated = true;
  }
  segments_.push_back({.start = program.p_vaddr,
                       .size = program.p_memsz,
                       .saved = std::min(promised, there),
                       .offset = origin_ + std::min(program.p_offset, size_),
                       .permissions = {.read = (program.p_flags & PF_R) != 0,
                                       .write = (program.p_flags & PF_W) != 0,
                                       .execute = (program.p_flags & PF_X) != 0}});
}

void CoreFile::add_notes(const Elf64_Phdr& program) {
  const std::uint64_t there = program.p_offset < size_ ? size_ - program.p_offset : 0;
  const std::uint64_t room = max_core_notes - notes_read_;
  if (program.p_filesz > std::min(there, room)) {
    info_.truncated = true;
  }
  std::vector<std::byte> bytes(std::min({program.p_filesz, there, room}));
  notes_read_ += bytes.size();
  if (read_file(fd_.get(), origin_ + program.p_offset, bytes)) {
    read_core_notes(bytes, notes_);
  }
}

// No two mappings of a process overlap; where two segments of a damaged core do, the first one has
// the bytes and the second one what is left.
void CoreFile::order_segments() {
  std::ranges::stable_sort(segments_, {}, &Segment::start);
  Address end = 0;
  std::erase_if(segments_, [&end](Segment& segment) {
    const std::uint64_t overlap = segment.start < end ? end - segment.start : 0;
    if (overlap >= segment.size) {
      return true;
    }
    segment.start += overlap;
    segment.size -= overlap;
    const std::uint64_t covered = std::min(segment.saved, overlap);
    segment.offset += covered;
    segment.saved -= covered;
    end = segment.start + segment.size;
    return false;
  });
}

std::string CoreFile::saved_string(Address address) const {
  const auto after = std::ranges::upper_bound(segments_, address, {}, &Segment::start);
  if (after == segments_.begin()) {
    return {};
  }
  const Segment& segment = *std::prev(after);
  const std::uint64_t skip = address - segment.start;
  if (skip >= segment.saved) {
    return {};
  }
  std::string text(std::min<std::uint64_t>(segment.saved - skip, 4096), '\0');
  if (!read_file(fd_.get(), segment.offset + skip, std::as_writable_bytes(std::span(text)))) {
    return {};
  }
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string CoreFile::executable_path() const {
  for (const std::uint64_t type : {std::uint64_t{AT_PHDR}, std::uint64_t{AT_ENTRY}}) {
    const auto value = notes_.auxiliary.find(type);
    if (value == notes_.auxiliary.end()) {
      continue;
    }
    for (const FileMapping& mapping : notes_.mappings) {
      if (value->second >= mapping.start && value->second < mapping.end) {
        return mapping.path;
      }
    }
  }
  if (const auto name = notes_.auxiliary.find(AT_EXECFN); name != notes_.auxiliary.end()) {
    if (std::string path = saved_string(name->second); !path.empty()) {
      return path;
    }
  }
  return notes_.mappings.empty() ? std::string() : notes_.mappings.front().path;
}

Result<void> CoreFile::read(const std::string& path) {
  const auto headers = elf::read_elf_headers(
      [this](std::uint64_t at, std::span<std::byte> to) {
        return read_file(fd_.get(), origin_ + at, to);
      },
      size_);
  if (!headers) {
    const Error& error = headers.error();
    const bool alien = error.kind == ErrorKind::corrupt;
    return fail(alien ? ErrorKind::not_a_core : error.kind, 0,
                path + ": " + (alien && size_ == 0 ? "the file is empty" : error.reason));
  }
  if (headers->file.e_type != ET_CORE) {
    return fail(ErrorKind::not_a_core, 0,
                path + ": " + std::string(type_name(headers->file.e_type)) + ", not a core");
  }
  for (const Elf64_Phdr& program : headers->programs) {
    if (program.p_type == PT_LOAD) {
      add_segment(program);
    } else if (program.p_type == PT_NOTE) {
      add_notes(program);
    }
  }
  order_segments();
  finish_core_notes(notes_);
  info_.kind = Kind::core;
  info_.pid = notes_.pid;
  info_.core_path = path;
  info_.executable_path = executable_path();
  return {};
}

} // namespace

Result<std::unique_ptr<Target>> open_core(UniqueFd fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) {
    return file_error(path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::not_a_core, 0, path + ": not a regular file");
  }
  auto core =
      std::make_unique<CoreFile>(std::move(fd), 0, static_cast<std::uint64_t>(status.st_size));
  if (auto done = core->read(path); !done) {
    return std::unexpected(done.error());
  }
  return core;
}

Result<std::unique_ptr<Target>> open_core(std::span<const std::byte> core,
                                          const std::string& name) {
  UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  if (!memory) {
    return file_error("/proc/self/mem", errno);
  }
  auto opened = std::make_unique<CoreFile>(
      std::move(memory), reinterpret_cast<std::uintptr_t>(core.data()), core.size());
  if (auto done = opened->read(name); !done) {
    return std::unexpected(done.error());
  }
  return opened;
}

Result<std::unique_ptr<Target>> open_core(const std::string& path, const Unpacking& unpacking) {
  auto file = open_packed_core(path, unpacking);
  if (!file) {
    return std::unexpected(file.error());
  }
  return open_core(std::move(*file), path == standard_input ? "standard input" : path);
}

} // namespace pygc::target
