// An ELF file opened with libelf.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"

#include <cstdint>
#include <libelf.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pygc::image {

struct Section {
  Elf_Scn* handle = nullptr;
  Address address = 0; // as linked
  std::uint64_t size = 0;
  std::uint32_t type = 0;
  std::uint32_t link = 0;

  bool has_bytes() const;
};

class ElfHandle {
public:
  /// Errors: not_found, io, corrupt.
  static Result<ElfHandle> open(const std::string& path);
  /// The same from a descriptor, which stays the caller's.
  static Result<ElfHandle> open(int fd, const std::string& path);

  Elf* get() const { return elf_.get(); }
  const std::string& path() const { return path_; }
  std::optional<Section> section(std::string_view name) const;
  /// The first section of a type (SHT_SYMTAB, ...).
  std::optional<Section> section_of_type(std::uint32_t type) const;
  std::string build_id() const;

private:
  struct End {
    void operator()(Elf* elf) const { ::elf_end(elf); }
  };

  ElfHandle(UniqueFd fd, Elf* elf, std::string path)
      : fd_(std::move(fd)), elf_(elf), path_(std::move(path)) {}

  UniqueFd fd_;
  std::unique_ptr<Elf, End> elf_;
  std::string path_;
};

} // namespace pygc::image
