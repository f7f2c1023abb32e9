// DWARF expressions against a hand-made frame.
#include "common/image/dwarf/dwarf_eval.h"
#include "common/image/module.h"
#include "common/image/process/process_image.h"
#include "common/target/core/core_file.h"
#include "tests/unit/image_builder.h"

#include <dwarf.h>
#include <gtest/gtest.h>

namespace pygc::image {
namespace {

class ImageEval : public ::testing::Test {
protected:
  ImageEval() {
    testing::CoreBuilder core;
    core.segments = {{.address = 0x10000,
                      .size = 0x1000,
                      .flags = PF_R,
                      .saved = testing::filled(0x1000, 0x5a)}};
    core_target = std::move(*target::open_core(directory.write("core", core.build())));
    process = std::move(*open_process_image(*core_target, {}));
    registers[3] = 100;
    registers[6] = 0x10010;
    context = {.memory = &process->memory(),
               .registers = &registers,
               .bias = 0x1000,
               .cfa = 0x10100,
               .frame_base = 0x10200,
               .entry_register = {}};
  }

  std::optional<Location> run(const std::vector<Dwarf_Op>& operations) const {
    return evaluate(operations, context);
  }
  std::optional<std::uint64_t> value(std::vector<Dwarf_Op> operations) const {
    operations.push_back(op(DW_OP_stack_value));
    const auto location = run(operations);
    return location ? std::optional(location->value) : std::nullopt;
  }
  static Dwarf_Op op(std::uint8_t atom, std::uint64_t number = 0, std::uint64_t number2 = 0,
                     std::uint64_t offset = 0) {
    return {.atom = atom, .number = number, .number2 = number2, .offset = offset};
  }

  testing::TemporaryDirectory directory;
  std::unique_ptr<target::Target> core_target;
  std::unique_ptr<ProcessImage> process;
  Registers registers;
  EvaluationContext context;
};

TEST_F(ImageEval, Places) {
  EXPECT_EQ(run({op(DW_OP_reg3)})->kind, Location::Kind::register_number);
  EXPECT_EQ(read_location(*run({op(DW_OP_reg3)}), context, 8), 100U);
  EXPECT_EQ(run({op(DW_OP_fbreg, 0 - std::uint64_t{16})})->value, 0x101f0U);
  EXPECT_EQ(run({op(DW_OP_addr, 0x20)})->value, 0x1020U); // relocated
  EXPECT_EQ(read_location(*run({op(DW_OP_breg6, 8)}), context, 4), 0x5a5a5a5aU);
  EXPECT_EQ(value({op(DW_OP_call_frame_cfa)}), 0x10100U);
  EXPECT_EQ(value({op(DW_OP_bregx, 3, 5)}), 105U);
}

TEST_F(ImageEval, Arithmetic) {
  EXPECT_EQ(value({op(DW_OP_lit7), op(DW_OP_lit2), op(DW_OP_minus)}), 5U);
  EXPECT_EQ(value({op(DW_OP_breg3, 0), op(DW_OP_plus_uconst, 11)}), 111U);
  EXPECT_EQ(value({op(DW_OP_const1s, 0 - std::uint64_t{8}), op(DW_OP_lit1), op(DW_OP_shra)}),
            0 - std::uint64_t{4});
  EXPECT_EQ(value({op(DW_OP_lit1), op(DW_OP_const1u, 64), op(DW_OP_shl)}), 0U);
  EXPECT_EQ(value({op(DW_OP_lit1), op(DW_OP_lit2), op(DW_OP_lit3), op(DW_OP_rot), op(DW_OP_drop)}),
            1U);
  EXPECT_EQ(value({op(DW_OP_breg6, 0), op(DW_OP_deref_size, 2)}), 0x5a5aU);
}

TEST_F(ImageEval, Branches) {
  // lit1; bra +1 (over lit5); lit5; lit9: with offsets as libdw gives them.
  EXPECT_EQ(value({op(DW_OP_lit1, 0, 0, 0), op(DW_OP_bra, 1, 0, 1), op(DW_OP_lit5, 0, 0, 4),
                   op(DW_OP_lit9, 0, 0, 5)}),
            9U);
  // An endless loop ends.
  EXPECT_FALSE(run({op(DW_OP_skip, 0 - std::uint64_t{3}, 0, 0)}));
}

TEST_F(ImageEval, GivesUpPolitely) {
  EXPECT_FALSE(run({}));
  EXPECT_FALSE(run({op(DW_OP_plus)}));
  EXPECT_FALSE(run({op(DW_OP_lit1), op(DW_OP_plus)}));
  EXPECT_FALSE(run({op(DW_OP_drop)}));
  EXPECT_FALSE(run({op(DW_OP_lit1), op(DW_OP_pick, 7)}));
  EXPECT_FALSE(run({op(DW_OP_breg5, 0)})); // a register that is lost
  EXPECT_FALSE(run({op(DW_OP_bregx, 1000, 0)}));
  EXPECT_FALSE(run({op(DW_OP_lit1), op(DW_OP_deref)})); // no memory at 1
  EXPECT_FALSE(run({op(DW_OP_reg3), op(DW_OP_piece, 4), op(DW_OP_reg3), op(DW_OP_piece, 4)}));
  EXPECT_FALSE(run({op(DW_OP_entry_value), op(DW_OP_stack_value)}));
  EXPECT_FALSE(run({op(DW_OP_form_tls_address)}));
  EXPECT_FALSE(read_location({.kind = Location::Kind::memory, .value = 0x10000}, context, 9));
  EXPECT_FALSE(read_location({.kind = Location::Kind::register_number, .value = 99}, context, 8));
  EXPECT_FALSE(read_location({.kind = Location::Kind::memory, .value = UINT64_MAX}, context, 8));
}

} // namespace
} // namespace pygc::image
