#include "common/cpython/objects/frame_objects.h"

#include "common/cpython/objects/frame_chain.h"
#include "common/cpython/objects/item_place.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <array>

namespace pygc::cpython {
namespace {

constexpr std::uint64_t variable_limit = 1 << 16; // of one function
constexpr std::uint64_t code_unit = 2;            // bytes
// Each is a reference of the frame's own. f_valuestack follows.
constexpr std::array<std::string_view, 5> fields = {"f_back", "f_code", "f_builtins", "f_globals",
                                                    "f_locals"};

/// Those fields of the layout that frames are read by.
struct Offsets {
  Layout::Offset threads, next, frame;
  Layout::Offset back, code, value_stack, last_instruction, variables;
};

/// Nothing for a layout without frames of this kind.
std::optional<Offsets> offsets_of(const Layout& layout) {
  if (!layout.interp_threads || !layout.thread_next || !layout.thread_frame_object ||
      !layout.frame_object_back || !layout.frame_object_code || !layout.frame_object_valuestack ||
      !layout.frame_object_lasti || !layout.frame_object_localsplus) {
    return std::nullopt;
  }
  return Offsets{.threads = *layout.interp_threads,
                 .next = *layout.thread_next,
                 .frame = *layout.thread_frame_object,
                 .back = *layout.frame_object_back,
                 .code = *layout.frame_object_code,
                 .value_stack = *layout.frame_object_valuestack,
                 .last_instruction = *layout.frame_object_lasti,
                 .variables = *layout.frame_object_localsplus};
}

/// A frame's code, and its variables: they end where the value stack begins.
struct FrameObject {
  Address code = 0;
  Address first = 0;
  std::uint64_t count = 0;
  std::uint64_t instruction = 0; // code units from the function's begin
};

bool has_type(ObjectReader& reader, Address object, std::string_view symbol) {
  const auto type = is_plausible(object) ? reader.type_address(object) : Result<Address>(0);
  return type && *type != 0 && *type == reader.exported(symbol);
}

/// Nothing when this is no frame.
std::optional<FrameObject> read_frame(ObjectReader& reader, const Offsets& at, Address frame) {
  const image::AddressSpace& memory = reader.memory();
  if (!has_type(reader, frame, "PyFrame_Type")) {
    return std::nullopt;
  }
  const auto code = memory.load<Address>(frame + at.code);
  const auto end = memory.load<Address>(frame + at.value_stack);
  const auto last = memory.load<std::int32_t>(frame + at.last_instruction);
  const Address first = frame + at.variables;
  if (!code || !end || !last || !has_type(reader, *code, "PyCode_Type") || *end < first ||
      (*end - first) % sizeof(Address) != 0 || (*end - first) / sizeof(Address) > variable_limit) {
    return std::nullopt;
  }
  // f_lasti is -1 before the first. It counts bytes in versions with co_lnotab, then code units.
  const auto instruction = static_cast<std::uint64_t>(std::max(*last, 0));
  return FrameObject{.code = *code,
                     .first = first,
                     .count = (*end - first) / sizeof(Address),
                     .instruction =
                         reader.runtime().layout.co_lnotab ? instruction / code_unit : instruction};
}

FrameReference reference_of(const FrameObject& frame, std::uint64_t index, Address value) {
  return {.object = value,
          .at = {frame.first + index * sizeof(Address)},
          .code = frame.code,
          .variable = static_cast<std::uint32_t>(index),
          .instruction = frame.instruction};
}

class Reader {
public:
  Reader(ObjectReader& reader, const Offsets& offsets)
      : reader_(reader), memory_(reader.memory()), at_(offsets) {}

  std::vector<FrameReference> references(const Interpreter& interpreter) const {
    std::vector<FrameReference> found;
    each_untracked(interpreter, [&](Address, const FrameObject& frame) {
      for (std::uint64_t i = 0; i < frame.count; ++i) {
        if (const Address value = word(frame.first + i * sizeof(Address)); value != 0) {
          found.push_back(reference_of(frame, i, value));
        }
      }
    });
    return found;
  }

  /// Calls take(address, frame), the innermost first.
  template <class Take>
  void each_untracked(const Interpreter& interpreter, const Take& take) const {
    each_thread(memory_, word(interpreter.address + at_.threads), at_.next, [&](Address thread) {
      each_frame(memory_, word(thread + at_.frame), at_.back, [&](Address frame) {
        const auto read = read_frame(reader_, at_, frame);
        const auto tracked = reader_.is_tracked(frame);
        if (!read || !tracked) {
          return false;
        }
        if (!*tracked) {
          take(frame, *read);
        }
        return true;
      });
    });
  }

private:
  Address word(Address at) const { return memory_.load<Address>(at).value_or(0); }

  ObjectReader& reader_;
  const image::AddressSpace& memory_;
  const Offsets& at_;
};

} // namespace

bool knows_frame_objects(const Layout& layout) {
  return offsets_of(layout).has_value();
}

std::vector<FrameReference> frame_object_references(ObjectReader& reader,
                                                    const Interpreter& interpreter) {
  const auto offsets = offsets_of(reader.runtime().layout);
  return offsets ? Reader(reader, *offsets).references(interpreter) : std::vector<FrameReference>{};
}

std::vector<Address> untracked_frame_objects(ObjectReader& reader, const Interpreter& interpreter) {
  std::vector<Address> found;
  if (const auto offsets = offsets_of(reader.runtime().layout)) {
    Reader(reader, *offsets).each_untracked(interpreter, [&](Address frame, const FrameObject&) {
      found.push_back(frame);
    });
  }
  return found;
}

std::optional<FrameObjectField> frame_object_field(ObjectReader& reader, Address frame,
                                                   std::uint64_t offset) {
  const auto at = offsets_of(reader.runtime().layout);
  const auto read = at ? read_frame(reader, *at, frame) : std::nullopt;
  constexpr Layout::Offset word = sizeof(Address);
  if (!read || at->code != at->back + word || at->value_stack != at->back + fields.size() * word ||
      offset < at->back || offset >= at->value_stack || offset % word != 0) {
    return std::nullopt;
  }
  return FrameObjectField{.name = fields[(offset - at->back) / word], .code = read->code};
}

std::optional<FrameReference> frame_object_reference_in(ObjectReader& reader, Address frame,
                                                        SlotAddress slot) {
  const auto offsets = offsets_of(reader.runtime().layout);
  const auto read = offsets ? read_frame(reader, *offsets, frame) : std::nullopt;
  if (!read || slot.at < read->first || (slot.at - read->first) % sizeof(Address) != 0 ||
      (slot.at - read->first) / sizeof(Address) >= read->count) {
    return std::nullopt;
  }
  return reference_of(*read, (slot.at - read->first) / sizeof(Address),
                      reader.memory().load<Address>(slot.at).value_or(0));
}

std::string frame_object_variable(ObjectReader& reader, const FrameReference& reference) {
  const Layout& layout = reader.runtime().layout;
  std::uint64_t index = reference.variable;
  for (const Layout::Maybe names : {layout.co_varnames, layout.co_cellvars, layout.co_freevars}) {
    const auto tuple =
        names ? reader.memory().load<Address>(reference.code + *names) : Result<Address>(0);
    const auto items =
        tuple && *tuple != 0 ? tuple_items(reader, *tuple) : std::optional<TupleItems>{};
    if (!items) {
      return {};
    }
    if (index < items->count) {
      const auto name = reader.memory().load<Address>(items->first + index * sizeof(Address));
      return name && *name != 0 ? reader.text(*name).value_or("") : "";
    }
    index -= items->count;
  }
  return {};
}

} // namespace pygc::cpython
