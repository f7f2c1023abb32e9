#include "common/image/elf/debug_file.h"

#include "common/image/elf/debuginfod.h"
#include "common/image/elf/image_file.h"

#include <elfutils/libdwelf.h>
#include <filesystem>
#include <vector>

namespace pygc::image {
namespace {

std::optional<ElfHandle> open_if(const std::string& path, const std::string& build_id) {
  auto handle = ElfHandle::open(path);
  if (!handle || handle->build_id() != build_id) {
    return std::nullopt;
  }
  return std::move(*handle);
}

/// The first of the paths that has the build-id; else what debuginfod has.
std::optional<ElfHandle> first_of(const std::vector<std::string>& paths,
                                  const std::string& build_id, const FileOptions& options) {
  for (const std::string& path : paths) {
    if (auto handle = open_if(path, build_id)) {
      return handle;
    }
  }
  if (options.debuginfod) {
    if (const auto path = debuginfod_find(build_id, DebuginfodKind::debug_info)) {
      return open_if(*path, build_id);
    }
  }
  return std::nullopt;
}

std::vector<std::string> debuglink_candidates(const ElfHandle& own, const FileOptions& options) {
  GElf_Word crc = 0;
  const char* name = ::dwelf_elf_gnu_debuglink(own.get(), &crc);
  if (name == nullptr || *name == '\0') {
    return {};
  }
  const std::string directory = std::filesystem::path(own.path()).parent_path().string();
  std::vector<std::string> paths{directory + "/" + name, directory + "/.debug/" + name};
  for (const std::string& root : debug_directories(options)) {
    paths.push_back(root + directory + "/" + name);
  }
  return paths;
}

} // namespace

std::optional<ElfHandle> find_debug_file(const std::string& build_id, const ElfHandle* own,
                                         const FileOptions& options) {
  if (build_id.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> paths;
  for (const std::string& directory : debug_directories(options)) {
    paths.push_back(build_id_path(directory, build_id, ".debug"));
  }
  if (own != nullptr) {
    for (std::string& path : debuglink_candidates(*own, options)) {
      if (path != own->path()) {
        paths.push_back(std::move(path));
      }
    }
  }
  return first_of(paths, build_id, options);
}

std::optional<ElfHandle> find_supplementary_file(const std::string& name,
                                                 const std::string& build_id,
                                                 const std::string& debug_path,
                                                 const FileOptions& options) {
  std::vector<std::string> paths;
  for (const std::string& directory : debug_directories(options)) {
    paths.push_back(build_id_path(directory, build_id, ".debug"));
  }
  std::error_code ignored;
  const auto real = std::filesystem::canonical(debug_path, ignored);
  // operator/ keeps an absolute name as it is.
  paths.push_back((real.parent_path() / name).string());
  for (const std::string& directory : debug_directories(options)) {
    paths.push_back(directory + "/.dwz/" + std::filesystem::path(name).filename().string());
  }
  return first_of(paths, build_id, options);
}

} // namespace pygc::image
