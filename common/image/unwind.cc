#include "common/image/unwind.h"

#include "common/image/dwarf_eval.h"
#include "common/image/dwarf_source.h"
#include "common/image/dwarf_variables.h"
#include "common/image/machine_x86_64.h"

#include <cstdlib>
#include <dwarf.h>
#include <memory>

namespace pygc::image {
namespace {

using FrameRules = std::unique_ptr<Dwarf_Frame, decltype(&std::free)>;

/// A function activation in memory; several source frames when calls were inlined.
struct Activation {
  Registers registers;
  std::optional<Address> cfa;
  bool exact_pc = true; // the instruction is the next to run, not one behind a call
};

class Unwinder {
public:
  Unwinder(const AddressSpace& memory, const std::function<const ElfModule*(Address)>& module_at,
           std::size_t limit)
      : memory_(memory), module_at_(module_at), limit_(limit) {}

  Result<std::vector<Frame>> run(const target::Thread& thread) {
    Activation activation;
    for (std::size_t i = 0; i < thread.registers.size(); ++i) {
      activation.registers[i] = thread.registers[i];
    }
    bool known = false;
    Address last_cfa = 0;
    while (frames_.size() < limit_) {
      const auto pc = activation.registers[dwarf_return_address];
      if (!pc || *pc == 0) {
        break;
      }
      auto next = caller(activation);
      known = known || next.has_value();
      if (!next && !known) {
        // A call to a bad address: the return address is on top of the stack.
        next = after_bad_call(activation);
      }
      add_frames(activation);
      // A stack grows down: a caller's frame never lies below its callee's.
      if (!next || (activation.cfa && *activation.cfa <= last_cfa)) {
        break;
      }
      last_cfa = activation.cfa.value_or(last_cfa);
      activation = *next;
    }
    if (!known) {
      return fail(ErrorKind::no_debug_info, thread.pc,
                  "no unwind information was found for where thread " + std::to_string(thread.tid) +
                      " stopped");
    }
    return std::move(frames_);
  }

private:
  // The address that stands for the call when tables are asked: a return address may already belong
  // to the next function.
  static Address lookup_pc(const Activation& activation) {
    return *activation.registers[dwarf_return_address] - (activation.exact_pc ? 0 : 1);
  }

  EvaluationContext context(const Activation& activation, const ElfModule& module) const {
    return {.memory = &memory_,
            .registers = &activation.registers,
            .bias = module.load_bias(),
            .cfa = activation.cfa,
            .frame_base = std::nullopt};
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
    next.registers[dwarf_sp] = activation.cfa;
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
      // No operations and none of our own array: the same value; else undefined.
      return operations == nullptr ? activation.registers[number] : std::nullopt;
    }
    const EvaluationContext where = context(activation, module);
    const auto location = evaluate({operations, count}, where);
    return location ? read_location(*location, where, sizeof(std::uint64_t)) : std::nullopt;
  }

  std::optional<Activation> after_bad_call(const Activation& activation) const {
    const auto sp = activation.registers[dwarf_sp];
    const Address pc = *activation.registers[dwarf_return_address];
    if (!sp || module_at_(pc) != nullptr) {
      return std::nullopt;
    }
    const auto return_address = memory_.load<std::uint64_t>(*sp);
    if (!return_address || module_at_(*return_address) == nullptr) {
      return std::nullopt;
    }
    Activation next = activation;
    next.registers[dwarf_return_address] = *return_address;
    next.registers[dwarf_sp] = *sp + sizeof(std::uint64_t);
    next.exact_pc = false;
    return next;
  }

  void add_frames(const Activation& activation) {
    const Address pc = *activation.registers[dwarf_return_address];
    const Address lookup = lookup_pc(activation);
    const ElfModule* module = module_at_(lookup);
    Frame frame{.pc = pc, .cfa = activation.cfa.value_or(0), .function = {}, .variables = {}};
    if (module == nullptr) {
      frames_.push_back(std::move(frame));
      return;
    }
    const Address own = lookup - module->load_bias();
    const auto dwarf = module->dwarf();
    auto scopes = dwarf ? code_scopes(**dwarf, own) : std::vector<Dwarf_Die>();
    EvaluationContext where = context(activation, *module);
    if (!scopes.empty()) {
      where.frame_base = frame_base_of(scopes.back(), own, where);
    }
    for (Dwarf_Die& scope : scopes) {
      read_variables(scope, own, where, frame.variables);
      const int tag = ::dwarf_tag(&scope);
      if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram) &&
          frames_.size() < limit_) {
        frame.function = die_name(scope);
        frames_.push_back(std::exchange(
            frame, Frame{.pc = pc, .cfa = frame.cfa, .function = {}, .variables = {}}));
      }
    }
    if (scopes.empty()) {
      if (const auto symbol = module->symbol_at(lookup)) {
        frame.function = without_clone_suffix(symbol->name);
      }
      frames_.push_back(std::move(frame));
    }
  }

  const AddressSpace& memory_;
  const std::function<const ElfModule*(Address)>& module_at_;
  std::size_t limit_;
  std::vector<Frame> frames_;
};

} // namespace

Result<std::vector<Frame>> unwind_thread(const AddressSpace& memory,
                                         const std::function<const ElfModule*(Address)>& module_at,
                                         const target::Thread& thread, std::size_t limit) {
  return Unwinder(memory, module_at, limit).run(thread);
}

} // namespace pygc::image
