#include "replayer/emulated/origin_filter.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace pygc::replayer {
namespace {

// seccomp compares 32 bits at a time.
constexpr unsigned half = 32;

struct CodeRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

struct Images {
  std::vector<CodeRange> c_library;
  std::vector<CodeRange> vdso;
  std::vector<CodeRange> program; // which has the C library in itself when it is static
};

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

int add_image(dl_phdr_info* info, std::size_t /*size*/, void* to) {
  auto& images = *static_cast<Images*>(to);
  const std::string_view name = base_name(info->dlpi_name);
  std::vector<CodeRange>* ranges = nullptr;
  if (name.starts_with("libc.so") || name.starts_with("libc-") || name.starts_with("ld-musl")) {
    ranges = &images.c_library;
  } else if (name.starts_with("linux-vdso")) {
    ranges = &images.vdso;
  } else if (name.empty()) {
    ranges = &images.program;
  }
  for (int i = 0; ranges != nullptr && i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      const std::uint64_t start = info->dlpi_addr + segment.p_vaddr;
      ranges->push_back({start, start + segment.p_memsz});
    }
  }
  return 0;
}

std::vector<CodeRange> allowed_ranges() {
  Images images;
  ::dl_iterate_phdr(&add_image, &images);
  std::vector<CodeRange> ranges = images.c_library.empty() ? images.program : images.c_library;
  ranges.insert(ranges.end(), images.vdso.begin(), images.vdso.end());
  return ranges;
}

class Program {
public:
  void add(const CodeRange& range) {
    const std::uint64_t boundary = ((range.start >> half) + 1) << half;
    if (range.end > boundary) {
      add({range.start, boundary});
      add({boundary, range.end});
      return;
    }
    // The end may be the boundary, whose low half is 0: the last address is compared.
    const std::uint64_t last = range.end - 1;
    load(offsetof(seccomp_data, instruction_pointer) + sizeof(std::uint32_t));
    jump(BPF_JEQ, range.start >> half, 0, 4);
    load(offsetof(seccomp_data, instruction_pointer));
    jump(BPF_JGE, range.start, 0, 2);
    jump(BPF_JGT, last, 1, 0);
    answer(SECCOMP_RET_ALLOW);
  }

  int install() {
    answer(SECCOMP_RET_KILL_PROCESS);
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                     &program) == 0
               ? 0
               : errno;
  }

private:
  void load(std::size_t offset) {
    code_.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)});
  }
  void jump(std::uint16_t comparison, std::uint64_t with, std::uint8_t yes, std::uint8_t no) {
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), yes, no,
                     static_cast<std::uint32_t>(with)});
  }
  void answer(std::uint32_t what) { code_.push_back({BPF_RET | BPF_K, 0, 0, what}); }

  std::vector<sock_filter> code_;
};

} // namespace

int allow_calls_of_the_c_library() {
  Program program;
  for (const CodeRange& range : allowed_ranges()) {
    program.add(range);
  }
  return program.install();
}

} // namespace pygc::replayer
