#include "common/cpython/objects/running_frames.h"

#include "common/cpython/objects/built_in_sizes.h"
#include "common/cpython/objects/frame_chain.h"
#include "common/cpython/objects/frame_objects.h"
#include "common/cpython/objects/frame_remains.h"
#include "common/cpython/objects/frames_in_objects.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace pygc::cpython {
namespace {

constexpr std::int32_t variable_limit = 1 << 16;  // of one function
constexpr std::uint64_t code_unit = 2;            // _Py_CODEUNIT
constexpr std::uint64_t object_limit = 1 << 20;   // bytes of an object that holds a frame
constexpr std::uint8_t owned_by_thread = 0;       // FRAME_OWNED_BY_THREAD
constexpr std::uint8_t owned_by_generator = 1;    // FRAME_OWNED_BY_GENERATOR
constexpr std::uint8_t owned_by_frame_object = 2; // FRAME_OWNED_BY_FRAME_OBJECT
constexpr std::array<std::string_view, 3> generators = {"PyGen_Type", "PyCoro_Type",
                                                        "PyAsyncGen_Type"};
constexpr Address searched_bytes = 8192; // of one, for a variable
constexpr std::uint64_t tag_bits = 3;    // of a _PyStackRef (3.14+): borrowed, or no object

bool is_generator(ObjectReader& reader, Address type) {
  return std::ranges::any_of(
      generators, [&](std::string_view symbol) { return reader.is_instance(type, symbol); });
}

/// Those fields of the layout that frames are read by.
struct Offsets {
  Layout::Offset threads, next, previous, owner, variables, count, code;
  Layout::Offset frame; // of a thread, or of what `cframe` of it points to
  std::optional<Layout::Offset> cframe;
  Layout::Offset frame_code; // or a reference to it with tag bits
  Layout::Offset instruction;
  // 3.11 only.
  std::optional<Layout::Offset> is_entry, stack_top;
};

struct FrameCode {
  Address code = 0;
  std::int32_t variables = 0;
};

/// Nothing for a layout without frames.
std::optional<Offsets> offsets_of(const Layout& layout) {
  const auto code = layout.frame_code ? layout.frame_code : layout.frame_executable;
  const auto instruction =
      layout.frame_prev_instr ? layout.frame_prev_instr : layout.frame_instr_ptr;
  const auto frame = layout.thread_frame ? layout.thread_frame : layout.cframe_frame;
  const bool by_cframe = !layout.thread_frame;
  if (!layout.interp_threads || !layout.thread_next || !layout.frame_previous ||
      !layout.frame_owner || !layout.frame_localsplus || !layout.co_nlocalsplus ||
      !layout.co_code_adaptive || !code || !instruction || !frame ||
      (by_cframe && !layout.thread_cframe)) {
    return std::nullopt;
  }
  return Offsets{.threads = *layout.interp_threads,
                 .next = *layout.thread_next,
                 .previous = *layout.frame_previous,
                 .owner = *layout.frame_owner,
                 .variables = *layout.frame_localsplus,
                 .count = *layout.co_nlocalsplus,
                 .code = *layout.co_code_adaptive,
                 .frame = *frame,
                 .cframe = by_cframe ? layout.thread_cframe : std::nullopt,
                 .frame_code = *code,
                 .instruction = *instruction,
                 .is_entry = layout.frame_is_entry,
                 .stack_top = layout.frame_stacktop};
}

/// The code that a frame runs; nothing when this is no frame.
std::optional<FrameCode> code_of(ObjectReader& reader, const Offsets& at, Address frame) {
  const image::AddressSpace& memory = reader.memory();
  const Address code = memory.load<Address>(frame + at.frame_code).value_or(0) & ~tag_bits;
  const auto type = is_plausible(code) ? reader.type_address(code) : Result<Address>(Address{0});
  if (!type || *type == 0 || *type != reader.exported("PyCode_Type")) {
    return std::nullopt;
  }
  const auto count = memory.load<std::int32_t>(code + at.count);
  return count && *count >= 0 && *count <= variable_limit
             ? std::optional(FrameCode{.code = code, .variables = *count})
             : std::nullopt;
}

struct Place {
  std::string_view name;
  bool owned; // the frame has a reference to what it holds
};

/// The first fields of _PyInterpreterFrame (Include/internal/pycore_frame.h,
/// pycore_interpframe_structs.h). Of those behind them none holds an object.
std::span<const Place> places_of(const Offsets& at) {
  static constexpr std::array<Place, 6> with_function_first = {{{"f_func", true}, // 3.11
                                                                {"f_globals", false},
                                                                {"f_builtins", false},
                                                                {"f_locals", true},
                                                                {"f_code", true},
                                                                {"frame_obj", true}}};
  static constexpr std::array<Place, 7> with_code_first = {{{"f_executable", true},
                                                            {"previous", false},
                                                            {"f_funcobj", true},
                                                            {"f_globals", false},
                                                            {"f_builtins", false},
                                                            {"f_locals", true},
                                                            {"frame_obj", true}}};
  return at.frame_code == 0 ? std::span<const Place>(with_code_first)
                            : std::span<const Place>(with_function_first);
}

/// Code units from the function's begin to where it is.
std::uint64_t instruction_of(const image::AddressSpace& memory, const Offsets& at, Address frame,
                             Address code) {
  const Address next = memory.load<Address>(frame + at.instruction).value_or(0);
  const Address first = code + at.code;
  return next >= first ? (next - first) / code_unit : 0;
}

/// 0: none.
Address innermost_frame(const image::AddressSpace& memory, const Offsets& at, Address thread) {
  if (!at.cframe) {
    return memory.load<Address>(thread + at.frame).value_or(0);
  }
  const Address cframe = memory.load<Address>(thread + *at.cframe).value_or(0);
  return is_plausible(cframe) ? memory.load<Address>(cframe + at.frame).value_or(0) : 0;
}

class Reader {
public:
  Reader(ObjectReader& reader, const Offsets& offsets)
      : reader_(reader), memory_(reader.memory()), at_(offsets) {}

  std::vector<FrameReference> run(const Interpreter& interpreter) {
    each_thread(memory_, word(interpreter.address + at_.threads), at_.next,
                [this](Address thread) { read_thread(thread); });
    return std::move(found_);
  }

private:
  Address word(Address at) const { return memory_.load<Address>(at).value_or(0); }

  void read_thread(Address thread) {
    // The one that runs in its C function, unlike those that have called another Python function.
    bool runs = true;
    each_frame(memory_, innermost_frame(memory_, at_, thread), at_.previous, [&](Address frame) {
      const auto owner = memory_.load<std::uint8_t>(frame + at_.owner);
      if (!owner || (*owner == owned_by_thread && !read_frame(frame, runs))) {
        return false;
      }
      runs = at_.is_entry && memory_.load<std::uint8_t>(frame + *at_.is_entry).value_or(0) != 0;
      return true;
    });
  }

  /// 3.11 takes a frame off the stack only when its references are released. Then alone the frame
  /// that runs has its stack pointer stored (Python/ceval.c, SET_LOCALS_FROM_FRAME stores -1).
  bool is_ending(Address frame, bool runs) const {
    return runs && at_.is_entry && at_.stack_top &&
           memory_.load<std::int32_t>(frame + *at_.stack_top).value_or(0) >= 0;
  }

  /// False: this is no frame.
  bool read_frame(Address frame, bool runs) {
    const auto runs_code = code_of(reader_, at_, frame);
    if (!runs_code) {
      return false;
    }
    if (is_ending(frame, runs)) {
      return true;
    }
    const std::uint64_t instruction = instruction_of(memory_, at_, frame, runs_code->code);
    for (std::int32_t i = 0; i < runs_code->variables; ++i) {
      const SlotAddress slot{frame + at_.variables + static_cast<Address>(i) * sizeof(Address)};
      const Address value = word(slot.at);
      if (value != 0 && (value & tag_bits) == 0) {
        found_.push_back({.object = value,
                          .at = slot,
                          .code = runs_code->code,
                          .variable = static_cast<std::uint32_t>(i),
                          .instruction = instruction});
      }
    }
    return true;
  }

  ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const Offsets& at_;
  std::vector<FrameReference> found_;
};

} // namespace

bool knows_frames(const Layout& layout) {
  return offsets_of(layout).has_value() || knows_frame_objects(layout);
}

std::vector<FrameReference> frame_references(ObjectReader& reader, const Interpreter& interpreter) {
  const auto offsets = offsets_of(reader.runtime().layout);
  return offsets ? Reader(reader, *offsets).run(interpreter)
                 : frame_object_references(reader, interpreter);
}

std::optional<FrameReference> frame_reference_in(ObjectReader& reader, Address object,
                                                 SlotAddress slot) {
  const auto at = offsets_of(reader.runtime().layout);
  if (!at) {
    return frame_object_reference_in(reader, object, slot);
  }
  if (slot.at <= object || slot.at - object > object_limit) {
    return std::nullopt;
  }
  const image::AddressSpace& memory = reader.memory();
  // The last place that looks like a frame: what precedes it may refer to the code, too.
  for (Address frame = slot.at - at->variables; frame > object; frame -= sizeof(Address)) {
    const auto owner = memory.load<std::uint8_t>(frame + at->owner);
    const auto code = owner && (*owner == owned_by_generator || *owner == owned_by_frame_object)
                          ? code_of(reader, *at, frame)
                          : std::nullopt;
    if (!code) {
      continue;
    }
    const std::uint64_t index = (slot.at - at->variables - frame) / sizeof(Address);
    if (index >= static_cast<std::uint64_t>(code->variables)) {
      return std::nullopt; // on its value stack
    }
    return FrameReference{.object = memory.load<Address>(slot.at).value_or(0) & ~tag_bits,
                          .at = slot,
                          .code = code->code,
                          .variable = static_cast<std::uint32_t>(index),
                          .instruction = instruction_of(memory, *at, frame, code->code)};
  }
  return std::nullopt;
}

RunningFrames::RunningFrames(ObjectReader& reader) : reader_(reader) {
  const auto at = offsets_of(reader.runtime().layout);
  if (!at) {
    for (const Interpreter& interpreter : reader.runtime().interpreters) {
      for (const Address frame : untracked_frame_objects(reader, interpreter)) {
        running_.insert(frame);
      }
    }
    return;
  }
  const image::AddressSpace& memory = reader.memory();
  complete_ = true;
  for (const Interpreter& interpreter : reader.runtime().interpreters) {
    const auto first = memory.load<Address>(interpreter.address + at->threads);
    each_thread(memory, first.value_or(0), at->next, [&](Address thread) {
      Address last = 0;
      each_frame(memory, innermost_frame(memory, *at, thread), at->previous, [&](Address frame) {
        running_.insert(frame);
        last = frame;
        return true;
      });
      // The outermost one has no caller.
      complete_ =
          complete_ && (last == 0 || memory.load<Address>(last + at->previous).value_or(1) == 0);
    });
  }
}

bool RunningFrames::is_left_behind(Address code_at, Address at) const {
  const auto offsets = complete_ ? offsets_of(reader_.runtime().layout) : std::nullopt;
  if (!offsets) {
    return false;
  }
  const image::AddressSpace& memory = reader_.memory();
  const Address frame = code_at - offsets->frame_code;
  const auto owner = memory.load<std::uint8_t>(frame + offsets->owner);
  if (!owner || *owner != owned_by_thread) {
    return false;
  }
  if (!running_.contains(frame)) {
    return true;
  }
  const auto code = code_of(reader_, *offsets, frame);
  const auto slots =
      code ? frame_slots(memory, reader_.runtime().layout, code->code) : std::nullopt;
  return slots && at >= frame + offsets->variables + *slots * sizeof(Address);
}

std::optional<Address> RunningFrames::frame_before(Address at, std::uint64_t limit) const {
  if (at % sizeof(Address) != 0) {
    return std::nullopt;
  }
  for (std::uint64_t offset = 0; offset < limit; offset += sizeof(Address)) {
    if (running_.contains(at - offset)) {
      return at - offset;
    }
  }
  return std::nullopt;
}

std::optional<RunningFrames::Field> RunningFrames::field(Address at) const {
  const Layout& layout = reader_.runtime().layout;
  const auto offsets = offsets_of(layout);
  if (!offsets) {
    const auto object = frame_before(at, layout.frame_object_localsplus.value_or(0));
    const auto field = object ? frame_object_field(reader_, *object, at - *object) : std::nullopt;
    return field ? std::optional(Field{.name = field->name, .code = field->code, .owned = true})
                 : std::nullopt;
  }
  const auto found = frame_before(at, offsets->variables);
  if (!found) {
    return std::nullopt;
  }
  const Address frame = *found;
  const std::span<const Place> places = places_of(*offsets);
  const std::size_t place = (at - frame) / sizeof(Address);
  const image::AddressSpace& memory = reader_.memory();
  const auto code = code_of(reader_, *offsets, frame);
  if (place >= places.size() || !code) {
    return std::nullopt;
  }
  // A generator visits what its frame owns.
  const bool of_thread =
      memory.load<std::uint8_t>(frame + offsets->owner).value_or(0) == owned_by_thread;
  const bool counted = (memory.load<Address>(at).value_or(tag_bits) & tag_bits) == 0;
  return Field{.name = places[place].name,
               .code = code->code,
               .owned = places[place].owned && of_thread && counted};
}

std::optional<FrameReference> variable_that_holds(ObjectReader& reader, Address container,
                                                  Address object) {
  const auto type = reader.type_address(container);
  if (!type || !(is_generator(reader, *type) || reader.is_instance(*type, "PyFrame_Type"))) {
    return std::nullopt;
  }
  for (Address at = container + sizeof(Address); at - container < searched_bytes;
       at += sizeof(Address)) {
    const auto word = reader.memory().load<Address>(at);
    if (!word) {
      break;
    }
    if ((*word & ~tag_bits) == object) {
      const auto reference = frame_reference_in(reader, container, {at});
      if (reference && reference->object == object) {
        return reference;
      }
    }
  }
  return std::nullopt;
}

std::string_view field_around_frame(ObjectReader& reader, Address container, SlotAddress slot) {
  const auto type = reader.type_address(container);
  const bool generator = type && is_generator(reader, *type);
  if (!type || slot.at <= container || (!generator && !reader.is_instance(*type, "PyFrame_Type"))) {
    return {};
  }
  const Layout& layout = reader.runtime().layout;
  const Address offset = slot.at - container;
  if (generator && layout.gi_qualname) {
    if (offset == *layout.gi_qualname) {
      return "__qualname__";
    }
    if (offset + sizeof(Address) == *layout.gi_qualname) {
      return "__name__";
    }
  }
  if (const auto field = frame_object_field(reader, container, offset)) {
    return field->name;
  }
  const auto at = offsets_of(layout);
  const std::int64_t size = reader.type(*type).basicsize; // up to the frame's variables
  const Address frame = at && size > 0 ? static_cast<Address>(size) - at->variables : 0;
  if (!at || offset < frame) {
    return {};
  }
  const std::size_t place = (offset - frame) / sizeof(Address);
  const std::span<const Place> places = places_of(*at);
  return place < places.size() && places[place].owned ? places[place].name : std::string_view{};
}

} // namespace pygc::cpython
