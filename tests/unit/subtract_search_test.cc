// The loop of subtract_refs in machine code made by hand.
#include "common/cpython/collector/subtract_search.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pygc::cpython {
namespace {

using Code = std::vector<std::uint8_t>;

constexpr Address code_start = 0x400000;
constexpr std::size_t code_size = 0x2000;
constexpr std::size_t visitor_at = 0x100;   // visit_decref
constexpr std::size_t reachable_at = 0x200; // visit_reachable
constexpr std::size_t loop_at = 0x800;

class CodeModule final : public image::Module {
public:
  const std::string& path() const override { return text_; }
  const std::string& file_path() const override { return text_; }
  image::FileState file_state() const override { return image::FileState::found; }
  const std::string& file_problem() const override { return text_; }
  const std::string& build_id() const override { return text_; }
  Address load_bias() const override { return 0; }
  image::Range extent() const override { return code_.front(); }
  const std::vector<image::Range>& static_storage() const override { return none_; }
  const std::vector<image::Range>& code() const override { return code_; }
  std::optional<image::Range> section(std::string_view) const override { return std::nullopt; }
  bool has_symtab() const override { return false; }
  bool has_dwarf() const override { return false; }
  const std::string& debug_file_path() const override { return text_; }
  Result<image::Symbol> find_symbol(std::string_view) const override { return missing(); }
  std::vector<image::Symbol> find_symbols(std::string_view) const override { return {}; }
  std::optional<image::Symbol> symbol_at(Address) const override { return std::nullopt; }
  Result<image::Layouts> layouts(const std::vector<image::LayoutQuery>&) const override {
    return missing();
  }
  Result<std::string> describe_static(Address) const override { return missing(); }
  Result<std::string> source_line(Address) const override { return missing(); }

private:
  static std::unexpected<Error> missing() { return fail(ErrorKind::no_symbol, 0, "none"); }

  std::string text_;
  std::vector<image::Range> none_;
  std::vector<image::Range> code_ = {{code_start, code_start + code_size}};
};

class SubtractSearch : public ::testing::Test {
protected:
  SubtractSearch() : bytes_(code_size, 0x90) {
    // push %rbx; testb $2, -8(%rdi); ...; sub $4, %rax
    put(visitor_at, {0x53, 0xf6, 0x47, 0xf8, 0x02, 0x74, 0x10, 0x48, 0x8b, 0x47, 0xf8, 0x48, 0x83,
                     0xe8, 0x04, 0xc3});
    // The same test, and it sets gc_refs to 1.
    put(reachable_at, {0x53, 0xf6, 0x47, 0xf8, 0x02, 0x74, 0x10, 0x48, 0x83, 0xc8, 0x04, 0xc3});
    runtime_.module = &module_;
    runtime_.layout.tp_traverse = 0xb8;
  }

  void put(std::size_t at, const Code& code) {
    std::memcpy(bytes_.data() + at, code.data(), code.size());
  }
  /// mov 0x18(%rbx), %rax; lea 0x10(%rbx), %rdi; mov $visitor, %esi; mov %rdi, %rdx or
  /// mov %rbp, %rdx; call *0xb8(%rax); mov (%rbx), %rbx
  void put_loop(std::size_t at, std::size_t visitor, bool object_twice) {
    const auto address = static_cast<std::uint32_t>(code_start + visitor);
    Code code = {0x48, 0x8b, 0x43, 0x18, 0x48, 0x8d, 0x7b, 0x10, 0xbe};
    for (unsigned shift = 0; shift < 32; shift += 8) {
      code.push_back(static_cast<std::uint8_t>(address >> shift));
    }
    const Code rest = {0x48, 0x89, static_cast<std::uint8_t>(object_twice ? 0xfa : 0xea),
                       0xff, 0x90, 0xb8,
                       0,    0,    0,
                       0x48, 0x8b, 0x1b};
    code.insert(code.end(), rest.begin(), rest.end());
    put(at, code);
  }

  std::vector<SubtractLoop> search() {
    const int fd = ::memfd_create("code", MFD_CLOEXEC);
    EXPECT_EQ(::write(fd, bytes_.data(), bytes_.size()), static_cast<ssize_t>(bytes_.size()));
    image::AddressSpace memory;
    memory.own(fd);
    image::Region region;
    region.start = code_start;
    region.end = code_start + code_size;
    region.source = image::Source::file;
    region.fd = fd;
    EXPECT_TRUE(memory.add(region));
    memory.sort();
    return find_subtract_loops(memory, runtime_);
  }

  static constexpr std::size_t call_offset = 16; // of the call in put_loop's code

  Code bytes_;
  CodeModule module_;
  Runtime runtime_;
};

TEST_F(SubtractSearch, FindsTheLoopBySymbol) {
  put_loop(loop_at, visitor_at, true);
  put_loop(loop_at + 0x100, reachable_at, false);
  runtime_.visit_decref = code_start + visitor_at;
  const auto loops = search();
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_EQ(loops[0].call, code_start + loop_at + call_offset);
  EXPECT_EQ(loops[0].return_address, loops[0].call + 6);
  EXPECT_EQ(loops[0].visitor, runtime_.visit_decref);
  EXPECT_TRUE(is_near(loops[0], loops[0].return_address + 3));
  EXPECT_FALSE(is_near(loops[0], loops[0].call + 0x100));
}

TEST_F(SubtractSearch, FindsItByWhatItsVisitorDoes) {
  put_loop(loop_at, visitor_at, true);
  put_loop(loop_at + 0x100, reachable_at, true); // sets, and does not subtract
  put_loop(loop_at + 0x200, visitor_at, false);  // passes another argument
  const auto loops = search();
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_EQ(loops[0].call, code_start + loop_at + call_offset);
  EXPECT_EQ(loops[0].visitor, code_start + visitor_at);
}

TEST_F(SubtractSearch, ALoadBelongsToTheFirstCallBehindIt) {
  put_loop(loop_at, visitor_at, true);
  // The collector's next loop, which loaded its visitor long before: call *0xb8(%rax)
  put(loop_at + 60, {0xff, 0x90, 0xb8, 0, 0, 0});
  runtime_.visit_decref = code_start + visitor_at;
  EXPECT_EQ(search().size(), 1U);
}

TEST_F(SubtractSearch, KnowsPositionIndependentCodeAndOtherRegisters) {
  // lea visitor(%rip), %r14; mov %r14, %rsi; mov %rdi, %rdx; call *0xb8(%r12)
  const auto displacement =
      static_cast<std::int32_t>(visitor_at) - static_cast<std::int32_t>(loop_at + 7);
  Code code = {0x4c, 0x8d, 0x35};
  for (unsigned shift = 0; shift < 32; shift += 8) {
    code.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(displacement) >> shift));
  }
  const Code rest = {0x4c, 0x89, 0xf6, 0x48, 0x89, 0xfa, 0x41, 0xff, 0x94, 0x24, 0xb8, 0, 0, 0};
  code.insert(code.end(), rest.begin(), rest.end());
  put(loop_at, code);
  const auto loops = search();
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_EQ(loops[0].call, code_start + loop_at + 13);
  EXPECT_EQ(loops[0].return_address, loops[0].call + 8);
}

TEST_F(SubtractSearch, FindsNothingInOtherCode) {
  EXPECT_TRUE(search().empty());
  put_loop(loop_at, visitor_at, true);
  runtime_.layout.tp_traverse = 0xc0;
  EXPECT_TRUE(search().empty());
}

} // namespace
} // namespace pygc::cpython
