#include "common/target/live/core_writer.h"

#include "common/machine/machine.h"

#include <cstring>
#include <elf.h>
#include <span>

namespace pygc::target {
namespace {

class Bytes {
public:
  template <class T> void put(const T& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void text(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void align() { bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}); }
  std::size_t size() const { return bytes_.size(); }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  std::vector<std::byte> take() { return std::move(bytes_); }

private:
  std::vector<std::byte> bytes_;
};

void add_note(Bytes& notes, std::uint32_t type, std::string_view descriptor) {
  constexpr std::string_view name("CORE\0", 5);
  notes.put(Elf64_Nhdr{.n_namesz = static_cast<Elf64_Word>(name.size()),
                       .n_descsz = static_cast<Elf64_Word>(descriptor.size()),
                       .n_type = type});
  notes.text(name);
  notes.align();
  notes.text(descriptor);
  notes.align();
}

template <class T> std::string_view as_text(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// NT_FILE: count, page size, then (start, end, offset in pages) for each, then the names.
std::string file_note(const SnapshotPlan& plan) {
  Bytes table;
  std::string names;
  std::uint64_t count = 0;
  for (const PlannedSegment& segment : plan.segments) {
    const wire::Mapping& mapping = segment.mapping;
    if (mapping.path.starts_with('/')) {
      table.put(mapping.start);
      table.put(mapping.end);
      table.put(mapping.file_offset / machine::page_size());
      names += mapping.path + '\0';
      ++count;
    }
  }
  std::string note(as_text(count));
  const std::uint64_t unit = machine::page_size();
  note += as_text(unit);
  note.append(reinterpret_cast<const char*>(table.bytes().data()), table.size());
  return note + names;
}

std::vector<std::byte> notes_of(const SnapshotPlan& plan, const CoreProcess& process) {
  Bytes notes;
  for (std::size_t i = 0; i < process.threads.size(); ++i) {
    add_note(notes, NT_PRSTATUS, as_text(process.threads[i].status));
    if (i == 0) { // where the kernel has them
      add_note(notes, NT_PRPSINFO, as_text(process.info));
      add_note(notes, NT_AUXV, process.auxiliary);
      add_note(notes, NT_FILE, file_note(plan));
    }
    add_note(notes, NT_FPREGSET, as_text(process.threads[i].floating));
  }
  return notes.take();
}

Elf64_Phdr load_header(const PlannedSegment& segment) {
  const wire::Mapping& mapping = segment.mapping;
  Elf64_Phdr header{};
  header.p_type = PT_LOAD;
  header.p_flags = (mapping.permissions.read ? static_cast<Elf64_Word>(PF_R) : 0U) |
                   (mapping.permissions.write ? static_cast<Elf64_Word>(PF_W) : 0U) |
                   (mapping.permissions.execute ? static_cast<Elf64_Word>(PF_X) : 0U);
  header.p_offset = segment.offset;
  header.p_vaddr = mapping.start;
  header.p_filesz = segment.saved;
  header.p_memsz = mapping.end - mapping.start;
  header.p_align = machine::page_size();
  return header;
}

} // namespace

CoreFrame frame_core(const SnapshotPlan& plan, const CoreProcess& process) {
  const std::vector<std::byte> notes = notes_of(plan, process);
  const std::uint64_t count = plan.segments.size() + 1;
  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ELFMAG, SELFMAG);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_CORE;
  file.e_machine = machine::elf_machine;
  file.e_version = EV_CURRENT;
  file.e_phoff = plan.end;
  file.e_ehsize = sizeof file;
  file.e_phentsize = sizeof(Elf64_Phdr);
  const bool many = count >= PN_XNUM; // then a section header says how many
  file.e_phnum = many ? PN_XNUM : static_cast<Elf64_Half>(count);
  Elf64_Shdr section{};
  section.sh_info = static_cast<Elf64_Word>(count);
  section.sh_size = 1;
  if (many) {
    file.e_shoff = sizeof file;
    file.e_shentsize = sizeof section;
    file.e_shnum = 1;
  }
  Bytes head;
  head.put(file);
  if (many) {
    head.put(section);
  }
  Bytes tail;
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = plan.end + count * sizeof note;
  note.p_filesz = notes.size();
  note.p_align = 4;
  tail.put(note);
  for (const PlannedSegment& segment : plan.segments) {
    tail.put(load_header(segment));
  }
  CoreFrame frame{.head = head.take(), .tail = tail.take()};
  frame.tail.insert(frame.tail.end(), notes.begin(), notes.end());
  return frame;
}

} // namespace pygc::target
