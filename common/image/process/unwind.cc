#include "common/image/process/unwind.h"

#include "common/image/dwarf/call_site.h"
#include "common/image/dwarf/dwarf_eval.h"
#include "common/image/dwarf/dwarf_source.h"
#include "common/image/dwarf/dwarf_variables.h"
#include "common/machine/machine.h"

#include <cstdlib>
#include <dwarf.h>
#include <memory>

namespace pygc::image {
namespace {

using FrameRules = std::unique_ptr<Dwarf_Frame, decltype(&std::free)>;

// A parameter may have been handed on by caller after caller.
constexpr int max_entry_depth = 8;

/// A function activation in memory; several source frames when calls were inlined.
struct Activation {
  Registers registers;
  Address pc = 0;
  std::optional<Address> cfa;
  bool exact_pc = true; // the instruction is the next to run, not one behind a call
};

class Unwinder {
public:
  Unwinder(const AddressSpace& memory, const std::function<const ElfModule*(Address)>& module_at,
           std::size_t limit, FrameDetail detail, Variables variables)
      : memory_(memory), module_at_(module_at), limit_(limit), detail_(detail),
        variables_(variables) {}

  Result<std::vector<Frame>> run(const target::Thread& thread) {
    if (!walk(thread)) {
      return fail(ErrorKind::no_debug_info, thread.pc,
                  "no unwind information was found for where thread " + std::to_string(thread.tid) +
                      " stopped");
    }
    std::vector<Frame> frames;
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      add_frames(i, frames);
    }
    return frames;
  }

private:
  // Fills in stack_; false when not even the first caller can be told.
  bool walk(const target::Thread& thread) {
    Activation activation;
    for (std::size_t i = 0; i < thread.registers.size(); ++i) {
      activation.registers[i] = thread.registers[i];
    }
    bool known = false;
    Address last_cfa = 0;
    while (stack_.size() < limit_) {
      const auto pc = activation.registers[machine::pc_register];
      if (!pc || (*pc == 0 && known)) {
        break;
      }
      activation.pc = *pc;
      auto next = caller(activation);
      known = known || next.has_value();
      if (!next && stack_.empty()) {
        // A call to a bad address: the return address is on top of the stack.
        next = after_bad_call(activation);
      }
      stack_.push_back(activation);
      // A stack grows down: a caller's frame never lies below its callee's.
      if (!next || (activation.cfa && *activation.cfa <= last_cfa)) {
        break;
      }
      last_cfa = activation.cfa.value_or(last_cfa);
      activation = *next;
    }
    return known;
  }

  // The address that stands for the call when tables are asked: a return address may already belong
  // to the next function.
  static Address lookup_pc(const Activation& activation) {
    return activation.pc - (activation.exact_pc ? 0 : 1);
  }

  EvaluationContext context(const Activation& activation, const ElfModule& module) const {
    return {.memory = &memory_,
            .registers = &activation.registers,
            .bias = module.load_bias(),
            .cfa = activation.cfa,
            .frame_base = std::nullopt,
            .entry_register = {}};
  }

  static FrameRules rules_for(const ElfModule& module, Address own_pc) {
    Dwarf_Frame* rules = nullptr;
    if (Dwarf_CFI* tables = module.eh_frame();
        tables != nullptr && ::dwarf_cfi_addrframe(tables, own_pc, &rules) == 0) {
      return {rules, &std::free};
    }
    if (Dwarf_CFI* tables = module.debug_frame();
        tables != nullptr && ::dwarf_cfi_addrframe(tables, own_pc, &rules) == 0) {
      return {rules, &std::free};
    }
    return {nullptr, &std::free};
  }

  // The calling activation; fills in the CFA of this one.
  std::optional<Activation> caller(Activation& activation) const {
    const Address pc = lookup_pc(activation);
    const ElfModule* module = module_at_(pc);
    if (module == nullptr) {
      return std::nullopt;
    }
    const FrameRules rules = rules_for(*module, pc - module->load_bias());
    if (!rules) {
      return std::nullopt;
    }
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (::dwarf_frame_cfa(rules.get(), &operations, &count) != 0) {
      return std::nullopt;
    }
    const auto cfa = evaluate({operations, count}, context(activation, *module));
    if (!cfa || cfa->kind == Location::Kind::register_number) {
      return std::nullopt;
    }
    activation.cfa = cfa->value;

    Activation next;
    for (std::size_t i = 0; i < next.registers.size(); ++i) {
      next.registers[i] = restored(rules.get(), i, activation, *module);
    }
    next.registers[machine::sp_register] = activation.cfa;
    bool signal_frame = false;
    ::dwarf_frame_info(rules.get(), nullptr, nullptr, &signal_frame);
    next.exact_pc = signal_frame;
    return next;
  }

  std::optional<std::uint64_t> restored(Dwarf_Frame* rules, std::size_t number,
                                        const Activation& activation,
                                        const ElfModule& module) const {
    std::array<Dwarf_Op, 3> own{};
    Dwarf_Op* operations = nullptr;
    std::size_t count = 0;
    if (::dwarf_frame_register(rules, static_cast<int>(number), own.data(), &operations, &count) !=
        0) {
      return std::nullopt;
    }
    if (count == 0) {
      // No rule. (libdw's own defaults take rax for rbx, so they are not asked.)
      return machine::is_callee_saved(number) ? activation.registers[number] : std::nullopt;
    }
    const EvaluationContext where = context(activation, module);
    const auto location = evaluate({operations, count}, where);
    return location ? read_location(*location, where, sizeof(std::uint64_t)) : std::nullopt;
  }

  std::optional<Activation> after_bad_call(const Activation& activation) const {
    const auto sp = activation.registers[machine::sp_register];
    if (!sp || module_at_(activation.pc) != nullptr) {
      return std::nullopt;
    }
    const auto return_address = memory_.load<std::uint64_t>(*sp);
    if (!return_address || module_at_(*return_address) == nullptr) {
      return std::nullopt;
    }
    Activation next = activation;
    next.registers[machine::pc_register] = *return_address;
    next.registers[machine::sp_register] = *sp + sizeof(std::uint64_t);
    next.exact_pc = false;
    return next;
  }

  // What the DWARF knows of the code of an activation.
  struct Code {
    const ElfModule* module = nullptr;
    Address own_pc = 0;            // as linked
    std::vector<Dwarf_Die> scopes; // innermost first
  };

  Code code_of(const Activation& activation) const {
    const Address pc = lookup_pc(activation);
    Code code{.module = module_at_(pc), .own_pc = 0, .scopes = {}};
    if (code.module != nullptr) {
      code.own_pc = pc - code.module->load_bias();
      if (detail_ == FrameDetail::functions ||
          (variables_ == Variables::held && !code.module->has_own_dwarf())) {
        return code;
      }
      if (const auto dwarf = code.module->dwarf()) {
        code.scopes = code_scopes(**dwarf, code.own_pc);
      }
    }
    return code;
  }

  EvaluationContext full_context(std::size_t index, Code& code, int depth) const {
    EvaluationContext where = context(stack_[index], *code.module);
    if (!code.scopes.empty()) {
      where.frame_base = frame_base_of(code.scopes.back(), code.own_pc, where);
      where.entry_register = [this, index, callee = code.scopes.back(),
                              bias = code.module->load_bias(), depth](std::uint64_t number) {
        return entry_register(index, callee, bias, number, depth);
      };
    }
    return where;
  }

  // A register at the entry of the function at `index`, from what its caller's code says of the
  // call.
  std::optional<std::uint64_t> entry_register(std::size_t index, Dwarf_Die callee,
                                              Address callee_bias, std::uint64_t number,
                                              int depth) const {
    if (depth >= max_entry_depth || index + 1 >= stack_.size() || stack_[index + 1].exact_pc) {
      return std::nullopt;
    }
    Code code = code_of(stack_[index + 1]);
    if (code.scopes.empty()) {
      return std::nullopt;
    }
    auto call_site = find_call_site(code.scopes, code.own_pc + 1);
    if (!call_site) {
      return std::nullopt;
    }
    const EvaluationContext where = full_context(index + 1, code, depth + 1);
    if (!calls_function(*call_site, callee, callee_bias, where)) {
      return std::nullopt;
    }
    return argument_in_register(*call_site, number, where);
  }

  void add_frames(std::size_t index, std::vector<Frame>& frames) const {
    const Activation& activation = stack_[index];
    const Address pc = activation.pc;
    Frame frame{.pc = pc,
                .cfa = activation.cfa.value_or(0),
                .function = {},
                .variables = {},
                .registers = activation.registers};
    Code code = code_of(activation);
    if (code.scopes.empty()) {
      const Address lookup = lookup_pc(activation);
      const auto symbol = code.module == nullptr ? std::nullopt : code.module->symbol_at(lookup);
      if (symbol) {
        frame.function = without_clone_suffix(symbol->name);
      }
      if (frames.size() < limit_) {
        frames.push_back(std::move(frame));
      }
      return;
    }
    EvaluationContext where = full_context(index, code, 0);
    std::optional<Range> held;
    if (variables_ == Variables::held) {
      // What a caller tells of a register at entry is no longer there.
      where.entry_register = {};
      held = Range{.start = activation.registers[machine::sp_register].value_or(0),
                   .end = activation.cfa.value_or(0)};
    }
    for (Dwarf_Die& scope : code.scopes) {
      read_variables(scope, code.own_pc, where, held, frame.variables);
      const int tag = ::dwarf_tag(&scope);
      if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram) &&
          frames.size() < limit_) {
        frame.function = die_name(scope);
        frames.push_back(std::exchange(frame, Frame{.pc = pc,
                                                    .cfa = frame.cfa,
                                                    .function = {},
                                                    .variables = {},
                                                    .registers = frame.registers}));
      }
    }
  }

  const AddressSpace& memory_;
  const std::function<const ElfModule*(Address)>& module_at_;
  std::size_t limit_;
  FrameDetail detail_;
  Variables variables_;
  std::vector<Activation> stack_; // innermost first
};

} // namespace

Result<std::vector<Frame>> unwind_thread(const AddressSpace& memory,
                                         const std::function<const ElfModule*(Address)>& module_at,
                                         const target::Thread& thread, std::size_t limit,
                                         FrameDetail detail, Variables variables) {
  return Unwinder(memory, module_at, limit, detail, variables).run(thread);
}

} // namespace pygc::image
