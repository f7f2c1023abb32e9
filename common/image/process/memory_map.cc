#include "common/image/process/memory_map.h"

#include "common/machine/machine.h"
#include "common/machine/page.h"

#include <algorithm>

namespace pygc::image {
namespace {

bool is_writable(const Elf64_Phdr& program) {
  return (program.p_flags & PF_W) != 0;
}

class Composer {
public:
  Composer(const target::Target& target, const std::vector<LoadedImage>& images, int core_fd,
           AddressSpace& memory)
      : target_(target), images_(images), core_fd_(core_fd), memory_(memory) {
    // The kernel saves every private page that was written. That an absent page is the file's can
    // be concluded only where such pages were saved at all and are all there.
    const auto& segments = target.segments();
    written_pages_saved_ =
        !target.info().truncated && std::ranges::any_of(segments, [](const target::Segment& s) {
          return s.permissions.write && s.saved != 0;
        });
  }

  Result<void> run() {
    for (Region& region : saved_regions(target_, core_fd_)) {
      if (is_code_of_a_file(region)) {
        fill(region.start, region.end, &region.permissions);
        continue;
      }
      if (auto done = memory_.add(std::move(region)); !done) {
        return done;
      }
    }
    Address covered = 0;
    for (const target::Segment& segment : target_.segments()) {
      const Address start = machine::page_up(segment.start);
      const Address end = machine::page_down(segment.start + segment.size);
      fill_files_only(covered, start);
      const Address saved_end = std::max(start, machine::page_down(segment.start + segment.saved));
      fill(saved_end, end, &segment.permissions);
      covered = std::max(covered, end);
    }
    fill_files_only(covered, machine::user_space_end);
    memory_.sort();
    return error_ ? Result<void>(std::unexpected(*error_)) : Result<void>();
  }

private:
  // Code of a process that can be had from its file, which was compared, need not be fetched; and
  // there no debugger's breakpoint is in it.
  bool is_code_of_a_file(const Region& region) const {
    if (target_.pager() == nullptr || !region.permissions.execute || region.permissions.write) {
      return false;
    }
    const LoadedImage* image = image_at(region.start);
    const auto mappings = mappings_from(region.start);
    return image != nullptr && image->source.state == FileState::found && !mappings.empty() &&
           mappings.front().start <= region.start && mappings.front().end >= region.end &&
           mappings.front().path == image->path;
  }

  // Mappings that the core has no segment for.
  void fill_files_only(Address start, Address end) {
    for (const target::FileMapping& mapping : mappings_from(start)) {
      if (mapping.start >= end) {
        return;
      }
      fill(std::max(start, machine::page_up(mapping.start)),
           std::min(end, machine::page_down(mapping.end)), nullptr);
    }
  }

  std::span<const target::FileMapping> mappings_from(Address start) const {
    const auto& all = target_.file_mappings();
    const auto first = std::ranges::partition_point(
        all, [start](const target::FileMapping& m) { return m.end <= start; });
    return {first, all.end()};
  }

  // Supplies [start, end), of which the core saved nothing.
  void fill(Address start, Address end, const target::Permissions* permissions) {
    Address at = start;
    for (const target::FileMapping& mapping : mappings_from(start)) {
      if (at >= end || mapping.start >= end) {
        break;
      }
      const Address from = std::max(at, machine::page_up(mapping.start));
      const Address to = std::min(end, machine::page_down(mapping.end));
      if (from < to) {
        fill_anonymous(at, from, permissions);
        fill_from_file(mapping, from, to, permissions);
        at = to;
      }
    }
    fill_anonymous(at, end, permissions);
  }

  void fill_anonymous(Address start, Address end, const target::Permissions* permissions) {
    if (start >= end) {
      return;
    }
    const LoadedImage* image = image_at(start);
    const Elf64_Phdr* segment = image == nullptr ? nullptr : image->segment_at(start);
    // Behind the file's part of a writable segment lies .bss; untouched, or it would be saved.
    if (segment != nullptr && is_writable(*segment) && written_pages_saved_ &&
        start - image->bias >= segment->p_vaddr + segment->p_filesz) {
      const Address bss_end =
          std::min(end, machine::page_up(image->bias + segment->p_vaddr + segment->p_memsz));
      add(start, bss_end, Source::zero, -1, 0, permissions, segment);
      start = bss_end;
    }
    add_missing(start, end, permissions, "the core holds no copy of this anonymous memory");
  }

  void fill_from_file(const target::FileMapping& mapping, Address start, Address end,
                      const target::Permissions* permissions) {
    const LoadedImage* image = image_at(start);
    if (image == nullptr || image->path != mapping.path) {
      add_missing(start, end, permissions,
                  mapping.path + " is no image that could be verified, and the core holds no copy");
      return;
    }
    if (image->source.state != FileState::found) {
      add_missing(start, end, permissions, image->source.problem);
      return;
    }
    const Elf64_Phdr* segment = image->segment_at(start);
    if (segment == nullptr || (is_writable(*segment) && !written_pages_saved_)) {
      add_missing(start, end, permissions,
                  "the core holds no copy of this writable memory of " + mapping.path);
      return;
    }
    std::uint64_t offset = 0;
    if (__builtin_add_overflow(mapping.file_offset, start - mapping.start, &offset) ||
        offset % machine::page_size() != 0) {
      add_missing(start, end, permissions, mapping.path + " is mapped at an impossible offset");
      return;
    }
    const std::uint64_t there = machine::page_up(image->source.file.size);
    const std::uint64_t usable = std::min(end - start, offset < there ? there - offset : 0);
    add(start, start + usable, Source::file, image->source.file.fd.get(), offset, permissions,
        segment);
    add_missing(start + usable, end, permissions,
                "it lies beyond the end of " + image->source.file.path);
  }

  const LoadedImage* image_at(Address address) const {
    const auto image = std::ranges::find_if(
        images_, [address](const LoadedImage& i) { return i.extent.contains(address); });
    return image == images_.end() ? nullptr : &*image;
  }

  void add(Address start, Address end, Source source, int fd, std::uint64_t offset,
           const target::Permissions* permissions, const Elf64_Phdr* segment) {
    if (start >= end) {
      return;
    }
    Region region;
    region.start = start;
    region.end = end;
    region.source = source;
    region.fd = fd;
    region.offset = offset;
    if (permissions != nullptr) {
      region.permissions = *permissions;
    } else if (segment != nullptr) {
      region.permissions = {.read = (segment->p_flags & PF_R) != 0,
                            .write = (segment->p_flags & PF_W) != 0,
                            .execute = (segment->p_flags & PF_X) != 0};
    }
    keep(std::move(region));
  }

  void add_missing(Address start, Address end, const target::Permissions* permissions,
                   std::string why) {
    if (start >= end) {
      return;
    }
    Region region;
    region.start = start;
    region.end = end;
    region.why_missing = std::move(why);
    if (permissions != nullptr) {
      region.permissions = *permissions;
    }
    keep(std::move(region));
  }

  void keep(Region region) {
    if (auto done = memory_.add(std::move(region)); !done && !error_) {
      error_ = done.error();
    }
  }

  const target::Target& target_;
  const std::vector<LoadedImage>& images_;
  int core_fd_;
  AddressSpace& memory_;
  bool written_pages_saved_ = false;
  std::optional<Error> error_;
};

} // namespace

Result<void> compose_memory(const target::Target& target, const std::vector<LoadedImage>& images,
                            int core_fd, AddressSpace& memory) {
  return Composer(target, images, core_fd, memory).run();
}

} // namespace pygc::image
