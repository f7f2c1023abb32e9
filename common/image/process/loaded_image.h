// Which ELF images a target has loaded, at which bias, with which build-id, and from which files.
#pragma once

#include "common/elf/elf_headers.h"
#include "common/image/address_space.h"
#include "common/image/elf/image_file.h"
#include "common/image/module.h"
#include "common/target/target.h"

#include <string>
#include <vector>

namespace pygc::image {

struct LoadedImage {
  std::string path; // as the target saw it
  elf::ElfHeaders headers;
  Address bias = 0;
  Range extent;         // whole pages
  std::string build_id; // from the target's memory, else from the file
  ImageFile source;

  /// The PT_LOAD that covers an address of the target (whole pages), or nullptr.
  const Elf64_Phdr* segment_at(Address address) const;
};

/// The images, executable first, then by address. `saved` holds what the core itself has.
std::vector<LoadedImage> find_loaded_images(const target::Target& target, const AddressSpace& saved,
                                            const FileOptions& options);

/// The saved parts of the target's segments, in whole pages.
std::vector<Region> saved_regions(const target::Target& target, int fd);

} // namespace pygc::image
