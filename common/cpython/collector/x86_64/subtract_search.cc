#include "common/cpython/collector/subtract_search.h"

#include "common/cpython/collector/visitor_search.h"
#include "common/cpython/collector/x86_64/machine_code.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>

namespace pygc::cpython {
namespace {

constexpr std::size_t loop_limit = 8;
constexpr std::size_t setup_size = 96; // bytes before the call that load its arguments
constexpr std::size_t loop_size = 96;  // the whole loop is shorter

/// The length of `call *disp32(%reg)` at `at`, 0 when there is none:
///   [41] ff /2 mod 10 [24] disp32
std::size_t call_through(std::span<const unsigned char> at, std::uint32_t displacement) {
  std::size_t length = at[0] == 0x41 ? 1 : 0;
  if (at[length] != 0xff || (at[length + 1] & 0xf8) != 0x90) {
    return 0;
  }
  const bool with_sib = (at[length + 1] & 7) == 4; // rsp or r12 as base
  if (with_sib && at[length + 2] != 0x24) {
    return 0;
  }
  length += with_sib ? 3 : 2;
  return static_cast<std::uint32_t>(word_at(at.data() + length)) == displacement ? length + 4 : 0;
}

struct Load {
  std::size_t at = 0; // in the code
  Address value = 0;
};

/// The last address that the code loads into a register and that is accepted:
///   be imm32            mov $imm32, %esi (or b8+r, another register)
///   REX.W 8d /r disp32  lea disp32(%rip), %reg
std::optional<Load> last_load(std::span<const unsigned char> code, Address start,
                              const std::function<bool(Address)>& accept) {
  for (std::size_t i = code.size() - 4; i-- > 0;) {
    std::optional<Address> target;
    if ((code[i] & 0xf8) == 0xb8) {
      target = static_cast<std::uint32_t>(word_at(code.data() + i + 1));
    }
    if (i + 7 <= code.size() && (code[i] & 0xf8) == 0x48 && code[i + 1] == 0x8d &&
        (code[i + 2] & 0xc7) == 0x05) {
      target = start + i + 7 + static_cast<Address>(std::int64_t{word_at(code.data() + i + 3)});
    }
    if (target && accept(*target)) {
      return Load{i, *target};
    }
  }
  return std::nullopt;
}

/// subtract_refs passes the object itself as the visitor's argument; the collector's other loops
/// pass a list.
///   48 89 fa  mov %rdi, %rdx
bool passes_object_twice(std::span<const unsigned char> code) {
  constexpr unsigned char move[] = {0x48, 0x89, 0xfa};
  return !std::ranges::search(code.last(std::min<std::size_t>(code.size(), 24)), move).empty();
}

/// What the loop's end is made of: the next link is loaded and compared with the list's head.
struct Instruction {
  std::size_t length = 0; // 0: not one of these
  bool conditional = false;
  std::optional<Address> target; // of a jump
};

/// The length of a ModRM byte and what follows it.
std::size_t operand_length(std::span<const unsigned char> at) {
  const unsigned mod = at[0] >> 6;
  const bool sib = mod != 3 && (at[0] & 7) == 4;
  const bool absolute = mod == 0 && ((at[0] & 7) == 5 || (sib && (at[1] & 7) == 5));
  const std::size_t displacement = mod == 1 ? 1 : mod == 2 || absolute ? 4 : 0;
  return 1 + (sib ? 1 : 0) + displacement;
}

/// `code` has 16 bytes at least.
Instruction decode(std::span<const unsigned char> code, Address pc) {
  const auto jump = [&](std::size_t length, std::int64_t displacement, bool conditional) {
    return Instruction{length, conditional, pc + length + static_cast<Address>(displacement)};
  };
  const std::size_t prefix = (code[0] & 0xf0) == 0x40 ? 1 : 0; // REX
  const auto opcode = code.subspan(prefix);
  switch (opcode[0]) {
  case 0x89: // mov
  case 0x8b:
  case 0x8d: // lea
  case 0x39: // cmp
  case 0x3b:
  case 0x85: // test
    return {prefix + 1 + operand_length(opcode.subspan(1)), false, std::nullopt};
  case 0x83: // an operation with an 8-bit immediate
    return {prefix + 2 + operand_length(opcode.subspan(1)), false, std::nullopt};
  case 0xeb:
    return jump(2, static_cast<signed char>(code[1]), false);
  case 0xe9:
    return jump(5, word_at(&code[1]), false);
  case 0x90:
    return {prefix + 1, false, std::nullopt};
  default:
    break;
  }
  if ((code[0] & 0xf0) == 0x70) {
    return jump(2, static_cast<signed char>(code[1]), true);
  }
  if (code[0] == 0x0f && (code[1] & 0xf0) == 0x80) {
    return jump(6, word_at(&code[2]), true);
  }
  return {};
}

/// Where the code behind the call goes when it does not go back to before the call.
Address find_exit(const image::AddressSpace& memory, const SubtractLoop& loop) {
  constexpr std::size_t longest = 16;
  constexpr int most = 12;
  Address pc = loop.return_address;
  for (int i = 0; i < most; ++i) {
    const auto bytes = memory.view(pc, longest);
    if (!bytes) {
      return 0;
    }
    const Instruction one =
        decode({reinterpret_cast<const unsigned char*>(bytes->data()), bytes->size()}, pc);
    if (one.length == 0) {
      return 0;
    }
    const Address next = pc + one.length;
    if (one.conditional) {
      const bool back = *one.target <= loop.call && *one.target + loop_size >= loop.call;
      const bool forth = next <= loop.call && next + loop_size >= loop.call;
      return back == forth ? 0 : back ? next : *one.target;
    }
    pc = one.target.value_or(next);
  }
  return 0;
}

class Search {
public:
  Search(const image::AddressSpace& memory, const Runtime& runtime)
      : memory_(memory), runtime_(runtime), module_(*runtime.module),
        visitor_(runtime.visit_decref) {
    if (runtime.layout.free_threaded) { // a replay has a visitor of its own there
      const auto symbol = module_.find_symbol("visit_decref");
      visitor_ = symbol && symbol->function ? symbol->address : 0;
    }
  }

  std::vector<SubtractLoop> run() {
    if (visitor_ == 0 && runtime_.layout.free_threaded) {
      return {}; // it looks like nothing else, and its caller passes no object twice
    }
    for (const image::Range& range : module_.code()) {
      const image::Region* region = memory_.find(range.start);
      for (Address at = range.start; region != nullptr && at < range.end;
           at = region->end, region = memory_.find(at)) {
        const std::size_t size =
            std::min<std::size_t>({region->end - at, range.end - at, code_limit});
        if (const auto code = memory_.view(at, size)) {
          scan({reinterpret_cast<const unsigned char*>(code->data()), code->size()}, at);
        }
      }
    }
    return std::move(loops_);
  }

private:
  void scan(std::span<const unsigned char> code, Address start) {
    constexpr std::size_t longest_call = 8;
    for (std::size_t i = setup_size; i + longest_call <= code.size(); ++i) {
      const std::size_t length = call_through(code.subspan(i), runtime_.layout.tp_traverse);
      if (length == 0 || loops_.size() == loop_limit) {
        continue;
      }
      const auto before = code.subspan(i - setup_size, setup_size);
      if (visitor_ == 0 && !passes_object_twice(before)) {
        continue;
      }
      const auto load =
          last_load(before, start + i - setup_size, [this](Address a) { return is_visitor(a); });
      // A load before another such call was for that one.
      if (load &&
          (loops_.empty() || loops_.back().return_address <= start + i - setup_size + load->at)) {
        loops_.push_back({start + i, start + i + length, load->value});
        loops_.back().exit = find_exit(memory_, loops_.back());
        i += length - 1;
      }
    }
  }

  bool is_visitor(Address address) const {
    return visitor_ != 0 ? address == visitor_
                         : in_code(module_, address) && looks_like_visit_decref(memory_, address);
  }

  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  const image::Module& module_;
  Address visitor_; // 0: whatever looks like it
  std::vector<SubtractLoop> loops_;
};

} // namespace

std::vector<SubtractLoop> find_subtract_loops(const image::AddressSpace& memory,
                                              const Runtime& runtime) {
  return Search(memory, runtime).run();
}

bool has_inlined_visitor(const image::AddressSpace& memory, const Runtime& runtime,
                         Address visitor) {
  // cmp $imm32, %reg (REX.W 81 /7, or 3d for %rax), or the address in a register:
  // lea disp32(%rip), %reg that is none of the loops' own.
  const auto loops = find_subtract_loops(memory, runtime);
  for (const image::Range& range : runtime.module->code()) {
    const auto code = memory.view(range.start, std::min(range.end - range.start, code_limit));
    if (!code) {
      return true; // not known: then the slower way
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(code->data());
    for (std::size_t i = 1; i + 7 <= code->size(); ++i) {
      const bool wide = (bytes[i - 1] & 0xf8) == 0x48;
      const bool other = bytes[i] == 0x81 && (bytes[i + 1] & 0xf8) == 0xf8;
      if (wide && (other || bytes[i] == 0x3d) &&
          static_cast<Address>(std::int64_t{word_at(bytes + i + (other ? 2 : 1))}) == visitor) {
        return true;
      }
      const Address at = range.start + i + 6;
      if (wide && bytes[i] == 0x8d && (bytes[i + 1] & 0xc7) == 0x05 &&
          at + static_cast<Address>(std::int64_t{word_at(bytes + i + 2)}) == visitor &&
          std::ranges::none_of(loops, [&](const SubtractLoop& loop) {
            return at <= loop.call && at + setup_size >= loop.call;
          })) {
        return true;
      }
    }
  }
  return false;
}

bool stores_zero(const image::AddressSpace& memory, Address visitor) {
  constexpr std::size_t function_size = 160;
  const auto code = memory.view(visitor, function_size);
  if (!code) {
    return false;
  }
  // REX.W c7 /0 imm32: movq $0,(%reg)
  for (std::size_t i = 0; i + 7 <= code->size(); ++i) {
    const auto* at = reinterpret_cast<const unsigned char*>(code->data()) + i;
    if ((at[0] & 0xfe) == 0x48 && at[1] == 0xc7 && (at[2] & 0xf8) == 0 && word_at(at + 3) == 0) {
      return true;
    }
  }
  return false;
}

bool is_near(const SubtractLoop& loop, Address pc) {
  if (loop.exit != 0 && pc == loop.exit) {
    return true;
  }
  return pc + loop_size >= loop.call && pc <= loop.return_address + loop_size;
}

} // namespace pygc::cpython
