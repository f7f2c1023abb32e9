// A target made by hand: types, objects and machine code of traverse functions in a memory file, at
// addresses that this process itself does not use.
#pragma once

#include "common/image/address_space.h"
#include "common/replay/replay.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::replay::testing {

inline constexpr Address code_base = 0x5600'0000'0000;
inline constexpr Address data_base = 0x7f10'0000'0000;
inline constexpr Address bss_base = 0x7f20'0000'0000;
inline constexpr std::uint64_t area = 0x20'0000; // each
inline constexpr Address unmapped = 0x7f30'0000'0000;
inline constexpr std::uint64_t collecting = 2;

using Code = std::vector<std::uint8_t>;

inline Code operator+(Code a, const Code& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// mov $value, %rdi
inline Code load_rdi(std::uint64_t value) {
  Code code{0x48, 0xbf};
  for (int i = 0; i < 8; ++i) {
    code.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  return code;
}

/// mov $value, %rax
inline Code load_rax(std::uint64_t value) {
  Code code = load_rdi(value);
  code[1] = 0xb8;
  return code;
}

inline const Code ret_zero{0x31, 0xc0, 0xc3};

/// A traverse function: visit(target, arg) for each of the targets.
inline Code visiting(const std::vector<Address>& targets) {
  // push %rbx; push %rbp; sub $8,%rsp; mov %rsi,%rbx; mov %rdx,%rbp
  Code code{0x53, 0x55, 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xf3, 0x48, 0x89, 0xd5};
  for (const Address target : targets) {
    // mov target,%rdi; mov %rbp,%rsi; call *%rbx
    code = code + load_rdi(target) + Code{0x48, 0x89, 0xee, 0xff, 0xd3};
  }
  // add $8,%rsp; pop %rbp; pop %rbx; xor %eax,%eax; ret
  return code + Code{0x48, 0x83, 0xc4, 0x08, 0x5d, 0x5b} + ret_zero;
}

/// The interpreter's visit_decref, reduced to the COLLECTING test:
/// testb $2,-8(%rdi); je 1f; subq $4,-8(%rdi); 1: xor %eax,%eax; ret
inline const Code visit_decref_code{0xf6, 0x47, 0xf8, 0x02, 0x74, 0x05, 0x48,
                                    0x83, 0x6f, 0xf8, 0x04, 0x31, 0xc0, 0xc3};

/// Where the file holds the areas, relative to page boundaries.
enum class Layout : std::uint8_t { aligned, unaligned };

class Image {
public:
  explicit Image(Layout layout = Layout::aligned) : shift_(layout == Layout::aligned ? 0 : 0x128) {
    code_.resize(area);
    data_.resize(area);
    // Address zero of each area stays unused.
    code_used_ = 16;
    data_used_ = 64;
  }

  Address add_code(const Code& code) {
    const Address at = code_base + code_used_;
    std::memcpy(code_.data() + code_used_, code.data(), code.size());
    code_used_ += (code.size() + 15) & ~std::size_t{15};
    return at;
  }

  Address add_type(Address traverse, bool have_gc = true, Address is_gc = 0) {
    const Address type = reserve(416);
    const ObjectShape shape;
    store(type + shape.tp_flags, have_gc ? std::uint64_t{1} << shape.tp_flags_have_gc_bit : 0);
    store(type + shape.tp_traverse, traverse);
    store(type + shape.tp_is_gc, is_gc);
    return type;
  }

  /// An object behind its PyGC_Head.
  Address add_object(Address type, std::uint64_t gc_prev = 0) {
    const Address object = reserve(64) + 16;
    store(object - 8, gc_prev);
    store(object + 8, type);
    return object;
  }

  Address add_object_with(const Code& traverse) { return add_object(add_type(add_code(traverse))); }

  void store(Address address, std::uint64_t value) {
    std::memcpy(data_.data() + (address - data_base), &value, sizeof(value));
  }

  Address reserve(std::size_t size) {
    const Address at = data_base + data_used_;
    data_used_ += (size + 15) & ~std::size_t{15};
    return at;
  }

  /// To be called before memory().
  void add_zero_region(Address start, Address end, bool executable = false) {
    extra_.push_back({start, end, executable});
  }

  /// To be called before memory(): code and data come as they are touched.
  void page_with(target::Pager& pager) { pager_ = &pager; }

  /// The image as the analysis would hand it over.
  const image::AddressSpace& memory() {
    const int fd = ::memfd_create("image", MFD_CLOEXEC);
    const std::uint64_t data_offset = shift_ + area;
    EXPECT_EQ(::pwrite(fd, code_.data(), area, static_cast<off_t>(shift_)), ssize_t{area});
    EXPECT_EQ(::pwrite(fd, data_.data(), area, static_cast<off_t>(data_offset)), ssize_t{area});
    memory_.own(fd);
    if (pager_ != nullptr) {
      memory_.page(fd, *pager_);
    }
    add(code_base, code_base + area, image::Source::file, fd, shift_, {true, false, true});
    add(data_base, data_base + area, image::Source::saved, fd, data_offset, {true, true, false});
    add(bss_base, bss_base + area, image::Source::zero, -1, 0, {true, true, false});
    add(unmapped, unmapped + area, image::Source::missing, -1, 0, {true, true, false});
    for (const auto& [start, end, executable] : extra_) {
      add(start, end, image::Source::zero, -1, 0, {true, true, executable});
    }
    memory_.sort();
    return memory_;
  }

private:
  void add(Address start, Address end, image::Source source, int fd, std::uint64_t offset,
           target::Permissions permissions) {
    image::Region region;
    region.start = start;
    region.end = end;
    region.source = source;
    region.fd = fd;
    region.offset = offset;
    region.permissions = permissions;
    EXPECT_TRUE(memory_.add(region));
  }

  struct ZeroRegion {
    Address start = 0;
    Address end = 0;
    bool executable = false;
  };
  std::vector<ZeroRegion> extra_;
  std::uint64_t shift_;
  target::Pager* pager_ = nullptr;
  std::vector<std::uint8_t> code_;
  std::vector<std::uint8_t> data_;
  std::size_t code_used_ = 0;
  std::size_t data_used_ = 0;
  image::AddressSpace memory_;
};

inline Options options() {
  Options options;
  options.replayer_path = PYGC_LIBEXEC_DIR "/pygc-replayer-native";
  options.traversal_budget = std::chrono::milliseconds(40);
  return options;
}

inline std::unique_ptr<Replayer> start(Image& image, const Options& options) {
  auto replayer = start_native(image.memory(), options, [] { return false; });
  EXPECT_TRUE(replayer) << replayer.error().reason;
  return replayer ? std::move(*replayer) : nullptr;
}

} // namespace pygc::replay::testing
