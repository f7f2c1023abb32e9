#include "common/target/core/core_notes.h"

#include "common/machine/machine.h"
#include "common/machine/thread_notes.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace pygc::target {
namespace {

template <std::size_t N>
std::array<std::uint64_t, N> words_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::array<std::uint64_t, N> words{};
  std::memcpy(words.data(), bytes.data() + offset, sizeof words);
  return words;
}

// NT_FILE: count, page size, then (start, end, offset in pages) for each, then the names.
void read_file_note(std::span<const std::byte> bytes, std::vector<FileMapping>& to) {
  constexpr std::size_t header_size = 16;
  constexpr std::size_t entry_size = 24;
  if (bytes.size() < header_size) {
    return;
  }
  const auto [count, unit] = words_at<2>(bytes, 0);
  if (count > (bytes.size() - header_size) / entry_size) {
    return;
  }
  const std::size_t names_at = header_size + count * entry_size;
  std::string_view names(reinterpret_cast<const char*>(bytes.data()) + names_at,
                         bytes.size() - names_at);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [start, end, pages] = words_at<3>(bytes, header_size + i * entry_size);
    const std::size_t length = names.find('\0');
    if (length == std::string_view::npos) {
      return;
    }
    const std::string_view name = names.substr(0, length);
    names.remove_prefix(length + 1);
    std::uint64_t offset = 0;
    if (start >= end || end > machine::user_space_end ||
        __builtin_mul_overflow(pages, unit, &offset)) {
      continue;
    }
    to.push_back({.start = start, .end = end, .file_offset = offset, .path = std::string(name)});
  }
}

void read_auxiliary(std::span<const std::byte> bytes, std::map<std::uint64_t, std::uint64_t>& to) {
  for (std::size_t at = 0; at + 16 <= bytes.size(); at += 16) {
    const auto [type, value] = words_at<2>(bytes, at);
    if (type == AT_NULL) {
      return;
    }
    to.emplace(type, value);
  }
}

} // namespace

void read_core_notes(std::span<const std::byte> bytes, CoreNotes& notes) {
  for (const elf::Note& note : elf::parse_notes(bytes)) {
    if (note.name != "CORE") {
      continue;
    }
    switch (note.type) {
    case NT_PRSTATUS:
      if (auto thread = machine::thread_from_prstatus(note.descriptor)) {
        notes.threads.push_back(*thread);
      }
      break;
    case NT_PRPSINFO:
      notes.pid = machine::pid_from_prpsinfo(note.descriptor).value_or(notes.pid);
      break;
    case NT_FILE:
      read_file_note(note.descriptor, notes.mappings);
      break;
    case NT_AUXV:
      read_auxiliary(note.descriptor, notes.auxiliary);
      break;
    default:
      break;
    }
  }
}

void finish_core_notes(CoreNotes& notes) {
  // The kernel and gcore write the thread that stopped the process first; a dumper that did not
  // still marks it by its signal.
  auto& threads = notes.threads;
  if (!threads.empty() && threads.front().signal == 0) {
    const auto stopped = std::ranges::find_if(threads, [](auto& t) { return t.signal != 0; });
    if (stopped != threads.end()) {
      std::rotate(threads.begin(), stopped, stopped + 1);
    }
  }
  auto& mappings = notes.mappings;
  std::ranges::stable_sort(mappings, {}, &FileMapping::start);
  Address end = 0;
  std::erase_if(mappings, [&end](const FileMapping& mapping) {
    if (mapping.start < end) {
      return true;
    }
    end = mapping.end;
    return false;
  });
}

} // namespace pygc::target
