// The file behind an image of the target: found by path, sysroot or build-id, and only if it is the
// one that was loaded.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/elf/elf_headers.h"
#include "common/image/module.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::image {

/// An ELF file opened for reading.
struct ElfFile {
  UniqueFd fd;
  std::string path;
  std::uint64_t size = 0;
  elf::ElfHeaders headers;
  std::string build_id; // hex
};

/// Opens a regular ELF file of this machine. Errors: not_found, permission, io, corrupt, ...
Result<ElfFile> open_elf_file(const std::string& path);

struct ImageFile {
  FileState state = FileState::missing;
  std::string problem;  // one sentence unless found
  bool starved = false; // not found because this process may not open more files
  ElfFile file;         // if found
};

struct ImageFileQuery {
  std::string path;        // as the target saw it
  std::string build_id;    // from the target's memory, hex; empty when it was not saved
  bool executable = false; // FileOptions::executable is meant for it
  std::string mapping;     // its first one, as FileOptions::process_directory/map_files names it
  /// Whether the target's mappings fit the file; asked where no build-id can decide.
  std::function<bool(const elf::ElfHeaders&)> fits;
};

ImageFile find_image_file(const ImageFileQuery& query, const FileOptions& options);

/// A path without the kernel's " (deleted)".
std::string_view without_deleted(std::string_view path);

/// DIRECTORY/.build-id/ab/cdef... followed by the suffix.
std::string build_id_path(std::string_view directory, std::string_view build_id,
                          std::string_view suffix);

/// Directories to look for debug information in.
std::vector<std::string> debug_directories(const FileOptions& options);

} // namespace pygc::image
