#include "common/image/process/loaded_image.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace pygc::image {
namespace {

// Program headers lie right behind the ELF header, in the first page or two.
constexpr std::uint64_t max_saved_headers = std::uint64_t{64} << 10;

bool is_load(const Elf64_Phdr& program) {
  std::uint64_t end = 0;
  return program.p_type == PT_LOAD && program.p_memsz != 0 &&
         !__builtin_add_overflow(program.p_vaddr, program.p_memsz, &end) &&
         end < machine::user_space_end;
}

/// The bias that puts the segment with file offset 0 at `start`.
std::optional<Address> bias_for(const elf::ElfHeaders& headers, Address start) {
  for (const Elf64_Phdr& program : headers.programs) {
    if (is_load(program) && machine::page_down(program.p_offset) == 0) {
      return start - machine::page_down(program.p_vaddr);
    }
  }
  return std::nullopt;
}

std::optional<Range> extent_of(const elf::ElfHeaders& headers, Address bias) {
  Range range{.start = UINT64_MAX, .end = 0};
  for (const Elf64_Phdr& program : headers.programs) {
    if (is_load(program)) {
      range.start = std::min(range.start, machine::page_down(program.p_vaddr));
      range.end = std::max(range.end, machine::page_up(program.p_vaddr + program.p_memsz));
    }
  }
  if (range.start >= range.end) {
    return std::nullopt;
  }
  range.start += bias;
  range.end += bias;
  if (range.start >= range.end || range.end > machine::user_space_end) {
    return std::nullopt;
  }
  return range;
}

/// Whether every mapping of the path within the image's extent lies where the headers put it.
bool mappings_fit(const std::vector<target::FileMapping>& mappings, const std::string& path,
                  const elf::ElfHeaders& headers, Address start) {
  const auto bias = bias_for(headers, start);
  const auto extent = bias ? extent_of(headers, *bias) : std::nullopt;
  if (!extent) {
    return false;
  }
  return std::ranges::all_of(mappings, [&](const target::FileMapping& mapping) {
    if (mapping.path != path || !extent->contains(mapping.start)) {
      return true;
    }
    return std::ranges::any_of(headers.programs, [&](const Elf64_Phdr& program) {
      return is_load(program) && mapping.file_offset >= machine::page_down(program.p_offset) &&
             mapping.start - *bias - machine::page_down(program.p_vaddr) ==
                 mapping.file_offset - machine::page_down(program.p_offset);
    });
  });
}

class Finder {
public:
  Finder(const target::Target& target, const AddressSpace& saved, const FileOptions& options)
      : target_(target), saved_(saved), options_(options) {}

  std::vector<LoadedImage> run() {
    for (const target::FileMapping& mapping : target_.file_mappings()) {
      // A small data segment may also begin at file offset 0: it belongs to the image before it.
      const bool continued = std::ranges::any_of(images_, [&](const LoadedImage& image) {
        return image.path == mapping.path && image.extent.contains(mapping.start);
      });
      if (mapping.file_offset == 0 && !continued && mapping.start % machine::page_size() == 0) {
        consider(mapping);
      }
    }
    const auto executable =
        std::ranges::find(images_, target_.info().executable_path, &LoadedImage::path);
    if (executable != images_.end()) {
      std::rotate(images_.begin(), executable, executable + 1);
    }
    return std::move(images_);
  }

private:
  void consider(const target::FileMapping& mapping) {
    const bool header_saved = saved_.host(mapping.start, SELFMAG) != nullptr;
    const elf::ReadAt from_memory = [&](std::uint64_t at, std::span<std::byte> to) {
      return saved_.read(mapping.start + at, to).has_value();
    };
    Result<elf::ElfHeaders> headers = fail(ErrorKind::memory_not_saved, mapping.start, "");
    if (header_saved) {
      headers = elf::read_elf_headers(from_memory, max_saved_headers);
      if (!headers && headers.error().kind != ErrorKind::truncated) {
        return; // not an ELF file, or none of ours
      }
    }
    LoadedImage image;
    image.path = mapping.path;
    if (headers) {
      if (const auto bias = bias_for(*headers, mapping.start)) {
        const elf::ReadAt at_address = [this](std::uint64_t at, std::span<std::byte> to) {
          return saved_.read(at, to).has_value();
        };
        image.build_id =
            elf::read_build_id(*headers, at_address, elf::NotePosition::address, *bias);
      }
    }
    image.source = find_image_file({.path = mapping.path,
                                    .build_id = image.build_id,
                                    .executable = mapping.path == target_.info().executable_path,
                                    .mapping = fmt::format("{:x}-{:x}", mapping.start, mapping.end),
                                    .fits =
                                        [&](const elf::ElfHeaders& candidate) {
                                          return mappings_fit(target_.file_mappings(), mapping.path,
                                                              candidate, mapping.start);
                                        }},
                                   options_);
    if (!headers && image.source.state == FileState::found) {
      headers = image.source.file.headers;
    }
    if (!headers) {
      return; // neither the core nor a file says that this is an image
    }
    const auto bias = bias_for(*headers, mapping.start);
    const auto extent = bias ? extent_of(*headers, *bias) : std::nullopt;
    if (!extent) {
      return;
    }
    image.headers = std::move(*headers);
    image.bias = *bias;
    image.extent = *extent;
    if (image.build_id.empty()) {
      image.build_id = image.source.file.build_id;
    }
    images_.push_back(std::move(image));
  }

  const target::Target& target_;
  const AddressSpace& saved_;
  const FileOptions& options_;
  std::vector<LoadedImage> images_;
};

} // namespace

const Elf64_Phdr* LoadedImage::segment_at(Address address) const {
  const Address own = address - bias;
  for (const Elf64_Phdr& program : headers.programs) {
    if (is_load(program) && own >= machine::page_down(program.p_vaddr) &&
        own < machine::page_up(program.p_vaddr + program.p_memsz)) {
      return &program;
    }
  }
  return nullptr;
}

std::vector<LoadedImage> find_loaded_images(const target::Target& target, const AddressSpace& saved,
                                            const FileOptions& options) {
  return Finder(target, saved, options).run();
}

std::vector<Region> saved_regions(const target::Target& target, int fd) {
  std::vector<Region> regions;
  for (const target::Segment& segment : target.segments()) {
    const Address start = machine::page_up(segment.start);
    const Address end = machine::page_down(segment.start + segment.saved);
    if (start < end) {
      Region region;
      region.start = start;
      region.end = end;
      region.source = Source::saved;
      region.fd = fd;
      region.offset = segment.offset + (start - segment.start);
      region.permissions = segment.permissions;
      regions.push_back(std::move(region));
    }
  }
  return regions;
}

} // namespace pygc::image
