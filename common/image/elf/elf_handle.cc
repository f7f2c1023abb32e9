#include "common/image/elf/elf_handle.h"

#include "common/elf/elf_headers.h"

#include <cstring>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>

namespace pygc::image {
namespace {

Section describe(Elf_Scn* handle, const GElf_Shdr& header) {
  return {.handle = handle,
          .address = header.sh_addr,
          .size = header.sh_size,
          .type = header.sh_type,
          .link = header.sh_link};
}

} // namespace

bool Section::has_bytes() const {
  return type != SHT_NOBITS && size != 0;
}

Result<ElfHandle> ElfHandle::open(int fd, const std::string& path) {
  ::elf_version(EV_CURRENT);
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own) {
    return fail(ErrorKind::io, 0, path + ": " + std::strerror(errno));
  }
  Elf* elf = ::elf_begin(own.get(), ELF_C_READ_MMAP, nullptr);
  if (elf == nullptr) {
    return fail(ErrorKind::corrupt, 0, path + ": " + ::elf_errmsg(-1));
  }
  ElfHandle handle(std::move(own), elf, path);
  if (::elf_kind(elf) != ELF_K_ELF || ::gelf_getclass(elf) != ELFCLASS64) {
    return fail(ErrorKind::corrupt, 0, path + ": not a 64-bit ELF file");
  }
  return handle;
}

Result<ElfHandle> ElfHandle::open(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    return fail(errno == ENOENT ? ErrorKind::not_found : ErrorKind::io, 0,
                path + ": " + std::strerror(errno));
  }
  return open(fd.get(), path);
}

std::optional<Section> ElfHandle::section(std::string_view name) const {
  std::size_t names = 0;
  if (::elf_getshdrstrndx(elf_.get(), &names) != 0) {
    return std::nullopt;
  }
  for (Elf_Scn* handle = ::elf_nextscn(elf_.get(), nullptr); handle != nullptr;
       handle = ::elf_nextscn(elf_.get(), handle)) {
    GElf_Shdr header;
    if (::gelf_getshdr(handle, &header) == nullptr) {
      continue;
    }
    const char* its_name = ::elf_strptr(elf_.get(), names, header.sh_name);
    if (its_name != nullptr && name == its_name) {
      return describe(handle, header);
    }
  }
  return std::nullopt;
}

std::optional<Section> ElfHandle::section_of_type(std::uint32_t type) const {
  for (Elf_Scn* handle = ::elf_nextscn(elf_.get(), nullptr); handle != nullptr;
       handle = ::elf_nextscn(elf_.get(), handle)) {
    GElf_Shdr header;
    if (::gelf_getshdr(handle, &header) != nullptr && header.sh_type == type) {
      return describe(handle, header);
    }
  }
  return std::nullopt;
}

std::string ElfHandle::build_id() const {
  const void* bytes = nullptr;
  const ssize_t size = ::dwelf_elf_gnu_build_id(elf_.get(), &bytes);
  if (size <= 0 || size > 64) {
    return {};
  }
  return elf::to_hex({static_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)});
}

} // namespace pygc::image
