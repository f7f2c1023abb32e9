#include "common/cpython/objects/running_frames.h"

#include "common/cpython/objects/item_place.h"
#include "common/cpython/objects/line_table.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <unordered_set>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = 65536;
constexpr std::size_t frame_limit = std::size_t{1} << 20; // of one thread
constexpr std::int32_t variable_limit = 1 << 16;          // of one function
constexpr std::uint64_t code_unit = 2;                    // _Py_CODEUNIT
constexpr std::uint8_t owned_by_thread = 0;               // FRAME_OWNED_BY_THREAD
constexpr std::uint64_t tag_bits = 3; // of a _PyStackRef (3.14+): borrowed, or no object

class Reader {
public:
  Reader(ObjectReader& reader, const Interpreter& interpreter)
      : reader_(reader), memory_(reader.memory()), layout_(reader.runtime().layout),
        interpreter_(interpreter) {}

  std::vector<FrameReference> run() {
    if (!knows_frames()) {
      return {};
    }
    Address thread = word(interpreter_.address + *layout_.interp_threads);
    for (std::size_t i = 0; i < thread_limit && is_plausible(thread); ++i) {
      read_thread(thread);
      thread = word(thread + *layout_.thread_next);
    }
    return std::move(found_);
  }

private:
  bool knows_frames() const {
    return layout_.interp_threads && layout_.thread_next &&
           (layout_.thread_frame || (layout_.thread_cframe && layout_.cframe_frame)) &&
           (layout_.frame_code || layout_.frame_executable) && layout_.frame_previous &&
           layout_.frame_owner && layout_.frame_localsplus &&
           (layout_.frame_prev_instr || layout_.frame_instr_ptr) && layout_.co_nlocalsplus &&
           layout_.co_code_adaptive;
  }

  Address word(Address at) const { return memory_.load<Address>(at).value_or(0); }

  Address innermost(Address thread) const {
    if (layout_.thread_frame) {
      return word(thread + *layout_.thread_frame);
    }
    const Address cframe = word(thread + *layout_.thread_cframe);
    return is_plausible(cframe) ? word(cframe + *layout_.cframe_frame) : 0;
  }

  void read_thread(Address thread) {
    // The one that runs in its C function, unlike those that have called another Python function.
    bool runs = true;
    std::unordered_set<Address> seen;
    Address frame = innermost(thread);
    while (is_plausible(frame) && seen.size() < frame_limit && seen.insert(frame).second) {
      const auto owner = memory_.load<std::uint8_t>(frame + *layout_.frame_owner);
      if (!owner || (*owner == owned_by_thread && !read_frame(frame, runs))) {
        return;
      }
      runs = layout_.frame_is_entry &&
             memory_.load<std::uint8_t>(frame + *layout_.frame_is_entry).value_or(0) != 0;
      frame = word(frame + *layout_.frame_previous);
    }
  }

  /// 3.11 takes a frame off the stack only when its references are released. Then alone the frame
  /// that runs has its stack pointer stored (Python/ceval.c, SET_LOCALS_FROM_FRAME stores -1).
  bool is_ending(Address frame, bool runs) const {
    return runs && layout_.frame_is_entry && layout_.frame_stacktop &&
           memory_.load<std::int32_t>(frame + *layout_.frame_stacktop).value_or(0) >= 0;
  }

  /// False: this is no frame.
  bool read_frame(Address frame, bool runs) {
    const Address code =
        word(frame + (layout_.frame_code ? *layout_.frame_code : *layout_.frame_executable)) &
        ~tag_bits;
    const auto type = is_plausible(code) ? reader_.type_address(code) : Result<Address>(Address{0});
    if (!type || *type == 0 || *type != reader_.exported("PyCode_Type")) {
      return false;
    }
    const auto count = memory_.load<std::int32_t>(code + *layout_.co_nlocalsplus);
    if (!count || *count < 0 || *count > variable_limit) {
      return false;
    }
    if (is_ending(frame, runs)) {
      return true;
    }
    const Address at = word(
        frame + (layout_.frame_prev_instr ? *layout_.frame_prev_instr : *layout_.frame_instr_ptr));
    const Address first = code + *layout_.co_code_adaptive;
    for (std::int32_t i = 0; i < *count; ++i) {
      const SlotAddress slot{frame + *layout_.frame_localsplus +
                             static_cast<Address>(i) * sizeof(Address)};
      const Address value = word(slot.at);
      if (value != 0 && (value & tag_bits) == 0) {
        found_.push_back({.object = value,
                          .at = slot,
                          .code = code,
                          .variable = static_cast<std::uint32_t>(i),
                          .instruction = at >= first ? (at - first) / code_unit : 0});
      }
    }
    return true;
  }

  ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const Layout& layout_;
  const Interpreter& interpreter_;
  std::vector<FrameReference> found_;
};

} // namespace

std::vector<FrameReference> frame_references(ObjectReader& reader, const Interpreter& interpreter) {
  return Reader(reader, interpreter).run();
}

FrameVariable frame_variable(ObjectReader& reader, const FrameReference& reference) {
  const Layout& layout = reader.runtime().layout;
  const image::AddressSpace& memory = reader.memory();
  const auto text = [&](Layout::Maybe field) -> std::string {
    const auto str = field ? memory.load<Address>(reference.code + *field) : Address{0};
    return str && *str != 0 ? reader.text(*str).value_or("") : "";
  };
  FrameVariable variable{.name = {},
                         .function = text(layout.co_qualname),
                         .file = text(layout.co_filename),
                         .line = 0};
  const auto names = layout.co_localsplusnames
                         ? memory.load<Address>(reference.code + *layout.co_localsplusnames)
                         : Address{0};
  if (names && *names != 0) {
    if (const auto name = tuple_item(reader, *names, reference.variable); name && *name != 0) {
      variable.name = reader.text(*name).value_or("");
    }
  }
  if (layout.co_linetable && layout.co_firstlineno) {
    const auto table = memory.load<Address>(reference.code + *layout.co_linetable);
    const auto first = memory.load<std::int32_t>(reference.code + *layout.co_firstlineno);
    if (table && first) {
      variable.line = line_of(reader, *table, *first, reference.instruction).value_or(0);
    }
  }
  return variable;
}

} // namespace pygc::cpython
