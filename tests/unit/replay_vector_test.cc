// AVX2 instructions that the emulated engine carries out itself give what the processor gives.
#include "replay_emulated_fixture.h"

#include <gmock/gmock.h>

namespace pygc::replay::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Vector {
  const char* name;
  Code code; // makes ymm0 from ymm1, ymm2 and the data at rax, which hold the same
};

class ReplayVector : public ::testing::TestWithParam<Vector> {
protected:
  void SetUp() override {
    if (!__builtin_cpu_supports("avx2")) {
      GTEST_SKIP() << "this processor lacks AVX2 to compare with";
    }
  }
};

/// Visits the victim as often as a hash of ymm0 says.
Code traverse_hash(const Code& operation, Address data, Address victim) {
  return Code{0x53, 0x55, 0x41, 0x54, 0x48, 0x89, 0xf3, 0x48, 0x89, 0xd5} + // push; save arguments
         load_rax(data) +
         // vmovdqu (%rax),%ymm1; vmovdqu 32(%rax),%ymm2; vmovdqu %ymm1,%ymm0
         Code{0xc5, 0xfe, 0x6f, 0x08, 0xc5, 0xfe, 0x6f, 0x50, 0x20, 0xc5, 0xfe, 0x6f, 0xc1} +
         operation +
         // vmovdqu %ymm0,64(%rax), and its four words multiplied and added into r12, ten bits of it
         Code{0xc5, 0xfe, 0x7f, 0x40, 0x40, 0x4c, 0x8b, 0x60, 0x40, 0xb9, 0xb1, 0x79, 0x37, 0x9e,
              0x4c, 0x0f, 0xaf, 0xe1, 0x4c, 0x03, 0x60, 0x48, 0x4c, 0x0f, 0xaf, 0xe1, 0x4c, 0x03,
              0x60, 0x50, 0x4c, 0x0f, 0xaf, 0xe1, 0x4c, 0x03, 0x60, 0x58, 0x4c, 0x0f, 0xaf, 0xe1,
              0x49, 0xc1, 0xec, 0x28, 0x41, 0x81, 0xe4, 0xff, 0x03, 0x00, 0x00} +
         // 1: test %r12,%r12; jz 2f; visit; dec %r12; jmp 1b; 2: pop
         Code{0x4d, 0x85, 0xe4, 0x74, 0x14} + load_rdi(victim) +
         Code{0x48, 0x89, 0xee, 0xff, 0xd3, 0x49, 0xff, 0xcc, 0xeb, 0xe7, 0x41, 0x5c, 0x5d, 0x5b} +
         ret_zero;
}

TEST_P(ReplayVector, ResultIsTheProcessors) {
  Image image;
  const Address data = image.reserve(8192);
  const std::vector<std::uint64_t> words{
      0x8000'7fff'0102'0304, 0xdead'beef'0000'0001, 0x0011'2233'4455'6677, 0xffff'ffff'ffff'ffff,
      0x8000'0000'0102'ff04, 0xdead'beef'0000'0001, 0x1111'2233'ff55'6677, 0x0000'0000'ffff'ffff};
  for (std::size_t i = 0; i < words.size(); ++i) {
    image.store(data + 8 * i, words[i]);
  }
  const Address victim = image.add_object_with(ret_zero);
  const Address object = image.add_object_with(traverse_hash(GetParam().code, data, victim));
  const auto& memory = image.memory();
  auto native = start_native(memory, options(), [] { return false; });
  auto tracer = start_tracer(memory, options());
  ASSERT_TRUE(native && tracer);
  const std::vector<Address> objects{victim, object};
  const std::vector<std::uint64_t> refcounts{1, 1};
  const Round round{.objects = objects, .refcounts = refcounts};
  const auto expected = (*native)->run(round);
  const auto actual = tracer->run(round);
  ASSERT_TRUE(expected && actual);
  EXPECT_THAT(expected->incidents, IsEmpty());
  EXPECT_THAT(actual->incidents, IsEmpty());
  EXPECT_NE(expected->gc_refs[0], 1);
  EXPECT_EQ(actual->gc_refs, expected->gc_refs);
}

INSTANTIATE_TEST_SUITE_P(
    Instructions, ReplayVector,
    ::testing::Values(
        Vector{"vpcmpeqb", {0xc5, 0xf5, 0x74, 0xc2}},
        Vector{"vpcmpeqb_memory", {0xc5, 0xf5, 0x74, 0x40, 0x20}},
        Vector{"vpcmpeqw", {0xc5, 0xf5, 0x75, 0xc2}},
        Vector{"vpcmpeqd_128", {0xc5, 0xf1, 0x76, 0xc2}},
        Vector{"vpcmpeqq", {0xc4, 0xe2, 0x75, 0x29, 0xc2}},
        Vector{"vpminub", {0xc5, 0xf5, 0xda, 0xc2}}, Vector{"vpmaxub", {0xc5, 0xf5, 0xde, 0xc2}},
        Vector{"vpminud", {0xc4, 0xe2, 0x75, 0x3b, 0xc2}},
        Vector{"vpsubb", {0xc5, 0xf5, 0xf8, 0xc2}}, Vector{"vpaddb", {0xc5, 0xf5, 0xfc, 0xc2}},
        Vector{"vpor", {0xc5, 0xf5, 0xeb, 0xc2}}, Vector{"vpand", {0xc5, 0xf5, 0xdb, 0xc2}},
        Vector{"vpxor", {0xc5, 0xf5, 0xef, 0xc2}}, Vector{"vpandn", {0xc5, 0xf5, 0xdf, 0xc2}},
        Vector{"vmovdqu_128", {0xc5, 0xfa, 0x6f, 0xc2}},
        Vector{"vmovups", {0xc5, 0xfc, 0x10, 0xc2}},
        Vector{"vmovd", {0xc5, 0xf9, 0x7e, 0xd1, 0xc5, 0xf9, 0x6e, 0xc1}},
        Vector{"vmovq_general", {0xc4, 0xe1, 0xf9, 0x7e, 0xd1, 0xc4, 0xe1, 0xf9, 0x6e, 0xc1}},
        Vector{"vmovq_memory", {0xc5, 0xfa, 0x7e, 0x40, 0x08}},
        Vector{"vpbroadcastb", {0xc4, 0xe2, 0x7d, 0x78, 0xc2}},
        Vector{"vpbroadcastw", {0xc4, 0xe2, 0x7d, 0x79, 0xc2}},
        Vector{"vpbroadcastd", {0xc4, 0xe2, 0x7d, 0x58, 0x00}},
        Vector{"vpbroadcastq_128", {0xc4, 0xe2, 0x79, 0x59, 0xc2}},
        // vmovq %xmm2,0x10(%rax); vmovdqu (%rax),%ymm0
        Vector{"vmovq_store", {0xc5, 0xf9, 0xd6, 0x50, 0x10, 0xc5, 0xfe, 0x6f, 0x00}},
        Vector{"vmovq_register", {0xc5, 0xf9, 0xd6, 0xd0}},
        Vector{"vextracti128_low", {0xc4, 0xe3, 0x7d, 0x39, 0xd0, 0x00}},
        Vector{"vextracti128_high", {0xc4, 0xe3, 0x7d, 0x39, 0xd0, 0x01}},
        // vextractf128 $1,%ymm2,0x8(%rax); vmovdqu (%rax),%ymm0
        Vector{"vextractf128_memory",
               {0xc4, 0xe3, 0x7d, 0x19, 0x50, 0x08, 0x01, 0xc5, 0xfe, 0x6f, 0x00}},
        Vector{"vinserti128", {0xc4, 0xe3, 0x75, 0x38, 0xc2, 0x01}},
        Vector{"vinsertf128_memory", {0xc4, 0xe3, 0x75, 0x18, 0x40, 0x30, 0x00}},
        // vpextrq $1,%xmm2,%rcx; mov %rcx,(%rax); vmovdqu (%rax),%ymm0
        Vector{"vpextrq",
               {0xc4, 0xe3, 0xf9, 0x16, 0xd1, 0x01, 0x48, 0x89, 0x08, 0xc5, 0xfe, 0x6f, 0x00}},
        // vpextrd $3,%xmm2,0x4(%rax); vmovdqu (%rax),%ymm0
        Vector{"vpextrd_memory",
               {0xc4, 0xe3, 0x79, 0x16, 0x50, 0x04, 0x03, 0xc5, 0xfe, 0x6f, 0x00}},
        // mov 0x20(%rax),%rcx; vpinsrq $1,%rcx,%xmm1,%xmm0
        Vector{"vpinsrq", {0x48, 0x8b, 0x48, 0x20, 0xc4, 0xe3, 0xf1, 0x22, 0xc1, 0x01}},
        Vector{"vpinsrd_memory", {0xc4, 0xe3, 0x71, 0x22, 0x40, 0x24, 0x02}},
        Vector{"vmovlps", {0xc5, 0xf0, 0x12, 0x40, 0x20}},
        Vector{"vmovhlps", {0xc5, 0xf0, 0x12, 0xc2}},
        Vector{"vmovhps", {0xc5, 0xf0, 0x16, 0x40, 0x20}},
        Vector{"vmovlhps", {0xc5, 0xf0, 0x16, 0xc2}},
        // vmovlps %xmm2,(%rax); vmovhps %xmm2,0x10(%rax); vmovdqu (%rax),%ymm0
        Vector{"vmov_halves_store",
               {0xc5, 0xf8, 0x13, 0x10, 0xc5, 0xf8, 0x17, 0x50, 0x10, 0xc5, 0xfe, 0x6f, 0x00}},
        Vector{"vpunpcklqdq", {0xc5, 0xf5, 0x6c, 0xc2}},
        Vector{"vpunpckhqdq_128", {0xc5, 0xf1, 0x6d, 0x40, 0x20}},
        Vector{"vpermq", {0xc4, 0xe3, 0xfd, 0x00, 0xc2, 0x8d}},
        Vector{"vpshufd", {0xc5, 0xfd, 0x70, 0xc2, 0x1e}},
        // vpmovmskb %ymm2,%ecx; mov %rcx,(%rax); vmovdqu (%rax),%ymm0
        Vector{"vpmovmskb", {0xc5, 0xfd, 0xd7, 0xca, 0x48, 0x89, 0x08, 0xc5, 0xfe, 0x6f, 0x00}},
        Vector{"vzeroupper", {0xc5, 0xf8, 0x77}},
        // lea 128(%rax),%rcx; or $63,%rcx; inc %rcx; push %rax; or $-1,%eax; mov %eax,%edx;
        // xsave (%rcx); vpxor %ymm0,%ymm0,%ymm0; xrstor (%rcx); pop %rax
        Vector{"xsave", {0x48, 0x8d, 0x88, 0x80, 0x00, 0x00, 0x00, 0x48, 0x83, 0xc9, 0x3f,
                         0x48, 0xff, 0xc1, 0x50, 0x83, 0xc8, 0xff, 0x89, 0xc2, 0x0f, 0xae,
                         0x21, 0xc5, 0xfd, 0xef, 0xc0, 0x0f, 0xae, 0x29, 0x58}},
        // vptest %ymm2,%ymm1; setz %cl; setc %ch; mov %cx,(%rax); vmovdqu (%rax),%ymm0
        Vector{"vptest",
               {0xc4, 0xe2, 0x7d, 0x17, 0xca, 0x0f, 0x94, 0xc1, 0x0f, 0x92, 0xc5, 0x66, 0x89, 0x08,
                0xc5, 0xfe, 0x6f, 0x00}},
        // mov $1,%ecx; vmovdqu 5(%rax,%rcx,2),%ymm0
        Vector{"indexed", {0xb9, 1, 0, 0, 0, 0xc5, 0xfe, 0x6f, 0x44, 0x48, 0x05}},
        // vmovdqa %ymm2,%ymm9; vpxor %ymm9,%ymm1,%ymm0
        Vector{"high_register", {0xc5, 0x7d, 0x6f, 0xca, 0xc4, 0xc1, 0x75, 0xef, 0xc1}},
        // pxor %xmm2,%xmm0: leaves the upper half alone
        Vector{"legacy_pxor", {0x66, 0x0f, 0xef, 0xc2}}),
    [](const auto& vector) { return vector.param.name; });

TEST(ReplayVectorMemory, LoadsAreSlotsAndWrongOnesFaults) {
  Image image;
  const Address child = image.add_object_with(ret_zero);
  // mov %rsi,%rcx; vmovdqu 0x10(%rdi),%ymm0; vmovdqu %xmm0,-0x20(%rsp); mov -0x18(%rsp),%rdi;
  // vzeroupper; jmp *%rcx
  const Address loads = image.add_object_with({0x48, 0x89, 0xf1, 0xc5, 0xfe, 0x6f, 0x47, 0x10,
                                               0xc5, 0xfa, 0x7f, 0x44, 0x24, 0xe0, 0x48, 0x8b,
                                               0x7c, 0x24, 0xe8, 0xc5, 0xf8, 0x77, 0xff, 0xe1});
  image.store(loads + 0x18, child);
  const Code load{0xc5, 0xfe, 0x6f, 0x00};  // vmovdqu (%rax),%ymm0
  const Code store{0xc5, 0xfe, 0x7f, 0x00}; // vmovdqu %ymm0,(%rax)
  const Address no_read = image.add_object_with(load_rax(unmapped) + load + ret_zero);
  const Address no_write = image.add_object_with(load_rax(code_base) + store + ret_zero);
  const Code ones{0xc5, 0xfd, 0x74, 0xc0}; // vpcmpeqb %ymm0,%ymm0,%ymm0: zeros change nothing
  const Address writes = image.add_object_with(load_rax(bss_base) + ones + store + ret_zero);
  auto tracer = start_tracer(image.memory(), options());
  ASSERT_TRUE(tracer);
  const std::vector<TraceRequest> requests{{loads, 0}, {no_read, 0}, {no_write, 0}, {writes, 0}};
  const auto trace = tracer->trace(requests);
  ASSERT_TRUE(trace) << trace.error().reason;
  ASSERT_THAT(trace->visits, SizeIs(1));
  EXPECT_EQ(trace->visits[0].object, child);
  EXPECT_EQ(trace->visits[0].slot, loads + 0x18);
  ASSERT_THAT(trace->incidents, SizeIs(3));
  EXPECT_EQ(trace->incidents[0].outcome, Outcome::fault);
  EXPECT_EQ(trace->incidents[0].address, unmapped);
  EXPECT_EQ(trace->incidents[1].outcome, Outcome::write);
  EXPECT_EQ(trace->incidents[1].address, code_base);
  EXPECT_EQ(trace->incidents[2].outcome, Outcome::write);
  EXPECT_EQ(trace->incidents[2].address, bss_base);
}

} // namespace
} // namespace pygc::replay::testing
