#include "common/image/process/process_image.h"

#include "common/image/process/elf_module.h"
#include "common/image/process/loaded_image.h"
#include "common/image/process/memory_map.h"
#include "common/image/process/unwind.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>

namespace pygc::image {
namespace {

// Beside those of the target: debug information, replayers, caches, output.
constexpr std::size_t own_descriptors = 32;

class Image final : public ProcessImage, public DebugKnowledge {
public:
  void add_modules(std::vector<LoadedImage> images, const FileOptions& options) {
    for (LoadedImage& image : images) {
      auto module = std::make_unique<ElfModule>(std::move(image), options);
      by_start_.push_back(module.get());
      modules_.push_back(std::move(module));
    }
    std::ranges::sort(by_start_, {}, [](const ElfModule* m) { return m->extent().start; });
  }

  AddressSpace& space() { return memory_; }

  const AddressSpace& memory() const override { return memory_; }
  const std::vector<std::unique_ptr<Module>>& modules() const override { return modules_; }
  const Module* module_at(Address address) const override { return elf_module_at(address); }

  std::string describe_code(Address address) const override {
    std::array<char, 32> offset{};
    const ElfModule* module = elf_module_at(address);
    if (module == nullptr) {
      std::snprintf(offset.data(), offset.size(), "0x%llx",
                    static_cast<unsigned long long>(address));
      return offset.data();
    }
    const auto symbol = module->symbol_at(address);
    const Address base = symbol ? symbol->address : module->extent().start;
    std::snprintf(offset.data(), offset.size(), "+0x%llx",
                  static_cast<unsigned long long>(address - base));
    if (symbol) {
      const std::string name(without_clone_suffix(symbol->name));
      return address == base ? name : name + offset.data();
    }
    const std::string_view path = without_deleted(module->path());
    return std::string(path.substr(path.rfind('/') + 1)) + offset.data();
  }

  Result<std::vector<Frame>> unwind(const target::Thread& thread, std::size_t limit,
                                    FrameDetail detail) const override {
    return unwind_thread(
        memory_, [this](Address pc) { return elf_module_at(pc); }, thread, limit, detail);
  }

  Result<StructMember> find_member(const MemberQuery& query) const override {
    const ElfModule* module =
        query.functions.empty() ? nullptr : elf_module_at(query.functions.front());
    if (module == nullptr) {
      return fail(ErrorKind::no_symbol, 0, "no image has the functions");
    }
    return module->find_member(query);
  }

  Result<std::vector<Frame>> unwind_held(const target::Thread& thread,
                                         std::size_t limit) const override {
    return unwind_thread(
        memory_, [this](Address pc) { return elf_module_at(pc); }, thread, limit,
        FrameDetail::whole, Variables::held);
  }

private:
  const ElfModule* elf_module_at(Address address) const {
    const auto after = std::ranges::upper_bound(
        by_start_, address, {}, [](const ElfModule* m) { return m->extent().start; });
    if (after == by_start_.begin()) {
      return nullptr;
    }
    const ElfModule* module = *std::prev(after);
    return module->extent().contains(address) ? module : nullptr;
  }

  // The memory goes last: its regions refer to the files of the modules.
  std::vector<std::unique_ptr<Module>> modules_;
  std::vector<const ElfModule*> by_start_;
  AddressSpace memory_;
};

/// All later complaints would be about something else.
Result<void> check_descriptors(const std::vector<LoadedImage>& images) {
  const auto starved =
      std::ranges::find_if(images, [](const LoadedImage& image) { return image.source.starved; });
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  if (starved == images.end() && (!known || limit.rlim_cur >= images.size() + own_descriptors)) {
    return {};
  }
  return fail(ErrorKind::limit, 0,
              "pygc may open " + std::to_string(limit.rlim_cur) +
                  " files, which does not suffice for those of the target (" +
                  std::to_string(images.size()) + ") and its own: raise the limit (ulimit -n)");
}

} // namespace

Result<std::unique_ptr<ProcessImage>> open_process_image(const target::Target& target,
                                                         const FileOptions& options) {
  UniqueFd core(::fcntl(target.backing_fd(), F_DUPFD_CLOEXEC, 0));
  if (!core && !target.segments().empty()) {
    return fail(ErrorKind::io, 0,
                std::string("the target's memory cannot be opened: ") + std::strerror(errno));
  }
  AddressSpace saved;
  if (target.pager() != nullptr) {
    saved.page(core.get(), *target.pager());
  }
  for (Region& region : saved_regions(target, core.get())) {
    if (auto done = saved.add(std::move(region)); !done) {
      return std::unexpected(done.error());
    }
  }
  saved.sort();
  std::vector<LoadedImage> images = find_loaded_images(target, saved, options);
  if (auto enough = check_descriptors(images); !enough) {
    return std::unexpected(enough.error());
  }

  auto image = std::make_unique<Image>();
  const int core_fd = core.get();
  if (target.pager() != nullptr) {
    image->space().page(core_fd, *target.pager());
  }
  if (core) {
    image->space().own(core.release());
  }
  if (auto done = compose_memory(target, images, core_fd, image->space()); !done) {
    return std::unexpected(done.error());
  }
  image->add_modules(std::move(images), options);
  return image;
}

} // namespace pygc::image
