#include "common/image/elf/image_file.h"

#include "common/image/elf/debuginfod.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pygc::image {
namespace {

ErrorKind kind_of_errno(int number) {
  if (number == ENOENT || number == ENOTDIR) {
    return ErrorKind::not_found;
  }
  if (number == EMFILE || number == ENFILE) {
    return ErrorKind::limit;
  }
  return number == EACCES || number == EPERM ? ErrorKind::permission : ErrorKind::io;
}

class Search {
public:
  Search(const ImageFileQuery& query, const FileOptions& options)
      : query_(query), options_(options) {}

  ImageFile run() {
    if (query_.executable && !options_.executable.empty()) {
      // What the user names is used or refused; nothing else is tried in its place.
      try_path(options_.executable, true);
      return result();
    }
    const std::string path(without_deleted(query_.path));
    const bool deleted = path.size() != query_.path.size();
    const bool has_path = path.starts_with('/') && !path.starts_with("/dev/");
    if (has_path && !options_.sysroot.empty()) {
      try_path(options_.sysroot + path, !deleted);
    }
    if (has_path && !found_) {
      // Behind a sysroot, and where the loaded file was deleted, only a build-id tells whether the
      // file of that name is the right one.
      try_path(path, options_.sysroot.empty() && !deleted);
    }
    if (!found_ && !options_.process_directory.empty()) {
      // Deleted, replaced or hidden by a mount since it was started; the process still has it.
      if (query_.executable) {
        try_path(options_.process_directory + "/exe", true);
      }
      if (!found_ && !query_.mapping.empty()) {
        try_path(options_.process_directory + "/map_files/" + query_.mapping, true);
      }
    }
    if (!query_.build_id.empty()) {
      for (const std::string& directory : debug_directories(options_)) {
        if (!found_) {
          try_path(build_id_path(directory, query_.build_id, ""), false);
        }
      }
      if (!found_ && options_.debuginfod) {
        if (auto fetched = debuginfod_find(query_.build_id, DebuginfodKind::executable)) {
          try_path(*fetched, false);
        }
      }
    }
    return result();
  }

private:
  void note(FileState state, std::string problem) {
    // The first mismatch is worth more than any "no such file".
    if (image_.problem.empty() ||
        (state == FileState::build_id_mismatch && image_.state == FileState::missing)) {
      image_.state = state;
      image_.problem = std::move(problem);
    }
  }

  void try_path(const std::string& path, bool trust_without_build_id) {
    auto file = open_elf_file(path);
    if (!file) {
      image_.starved = image_.starved || file.error().kind == ErrorKind::limit;
      note(FileState::missing, file.error().reason);
      return;
    }
    if (query_.build_id.empty()) {
      if (!trust_without_build_id) {
        note(FileState::missing, path + ": cannot be told to be the file that was loaded");
      } else if (!query_.fits(file->headers)) {
        note(FileState::build_id_mismatch, path + ": its segments are not those of the target");
      } else {
        accept(std::move(*file));
      }
      return;
    }
    if (file->build_id == query_.build_id) {
      accept(std::move(*file));
      return;
    }
    note(FileState::build_id_mismatch,
         path + " has " + (file->build_id.empty() ? "no build-id" : "build-id " + file->build_id) +
             ", but the target was running " + query_.build_id);
  }

  void accept(ElfFile file) {
    image_.file = std::move(file);
    found_ = true;
  }

  ImageFile result() {
    if (found_) {
      image_.state = FileState::found;
      image_.problem.clear();
      image_.starved = false;
    } else if (image_.problem.empty()) {
      image_.problem = query_.path.empty() ? "the target does not name the file"
                                           : query_.path + ": not a file to look for";
    }
    return std::move(image_);
  }

  const ImageFileQuery& query_;
  const FileOptions& options_;
  ImageFile image_;
  bool found_ = false;
};

} // namespace

Result<ElfFile> open_elf_file(const std::string& path) {
  ElfFile file;
  file.path = path;
  file.fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0) {
    return fail(kind_of_errno(errno), 0, path + ": " + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::io, 0, path + ": not a regular file");
  }
  file.size = static_cast<std::uint64_t>(status.st_size);
  const elf::ReadAt read = [&file](std::uint64_t at, std::span<std::byte> to) {
    return at <= file.size && to.size() <= file.size - at &&
           ::pread(file.fd.get(), to.data(), to.size(), static_cast<off_t>(at)) ==
               static_cast<ssize_t>(to.size());
  };
  auto headers = elf::read_elf_headers(read, file.size);
  if (!headers) {
    return fail(headers.error().kind, 0, path + ": " + headers.error().reason);
  }
  file.headers = std::move(*headers);
  file.build_id = elf::read_build_id(file.headers, read, elf::NotePosition::file_offset);
  return file;
}

ImageFile find_image_file(const ImageFileQuery& query, const FileOptions& options) {
  return Search(query, options).run();
}

std::string_view without_deleted(std::string_view path) {
  constexpr std::string_view suffix = " (deleted)";
  if (path.ends_with(suffix)) {
    path.remove_suffix(suffix.size());
  }
  return path;
}

std::string build_id_path(std::string_view directory, std::string_view build_id,
                          std::string_view suffix) {
  std::string path(directory);
  path += "/.build-id/";
  path += build_id.substr(0, 2);
  path += '/';
  path += build_id.substr(build_id.size() < 2 ? build_id.size() : 2);
  path += suffix;
  return path;
}

std::vector<std::string> debug_directories(const FileOptions& options) {
  std::vector<std::string> directories = options.debug_directories;
  if (directories.empty()) {
    if (!options.sysroot.empty()) {
      directories.push_back(options.sysroot + "/usr/lib/debug");
    }
    directories.emplace_back("/usr/lib/debug");
  }
  return directories;
}

} // namespace pygc::image
