#include "common/cpython/runtime_reader.h"

#include "common/machine/machine.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t interpreter_limit = 65536;
constexpr std::size_t proof_objects = 16; // objects looked at on each list
constexpr Address gc_flag_bits = 3;       // of _gc_next and _gc_prev (Include/internal/pycore_gc.h)
constexpr unsigned have_gc_bit = 14;      // Py_TPFLAGS_HAVE_GC
constexpr int generation_count = 3;       // NUM_GENERATIONS (Include/internal/pycore_gc.h)

bool plausible(Address address, Address alignment = 8) {
  return address >= 4096 && address < machine::user_space_end && address % alignment == 0;
}

Result<Generation> read_generation(const image::AddressSpace& memory, const Layout& layout,
                                   Address address, std::string name, bool permanent) {
  const auto threshold = memory.load<std::int32_t>(address + layout.generation_threshold);
  const auto count = memory.load<std::int32_t>(address + layout.generation_count);
  if (!threshold || !count) {
    return std::unexpected(threshold ? count.error() : threshold.error());
  }
  return Generation{.name = std::move(name),
                    .head = address + layout.generation_head,
                    .count = *count,
                    .threshold = *threshold,
                    .permanent = permanent};
}

Result<void> read_generations(const image::AddressSpace& memory, const Layout& layout,
                              Interpreter& interpreter) {
  std::vector<std::pair<Address, std::string>> where;
  if (layout.gc_generations) {
    for (int i = 0; i < generation_count; ++i) {
      where.emplace_back(interpreter.gc_state + *layout.gc_generations +
                             static_cast<Address>(i) * layout.generation_size,
                         std::to_string(i));
    }
  } else if (layout.gc_young && layout.gc_old) {
    // The incremental collector of 3.14.0 to 3.14.4 keeps one young and two old spaces.
    where.emplace_back(interpreter.gc_state + *layout.gc_young, "young");
    where.emplace_back(interpreter.gc_state + *layout.gc_old, "old0");
    where.emplace_back(interpreter.gc_state + *layout.gc_old + layout.generation_size, "old1");
  } else {
    return fail(ErrorKind::corrupt, interpreter.gc_state, "the layout has no generations");
  }
  for (auto& [address, name] : where) {
    auto generation = read_generation(memory, layout, address, std::move(name), false);
    if (!generation) {
      return std::unexpected(generation.error());
    }
    interpreter.generations.push_back(std::move(*generation));
  }
  auto permanent = read_generation(memory, layout, interpreter.gc_state + layout.gc_permanent,
                                   "permanent", true);
  if (!permanent) {
    return std::unexpected(permanent.error());
  }
  interpreter.generations.push_back(std::move(*permanent));
  return {};
}

/// What the core has not saved (it may be truncated) proves nothing, and contradicts nothing.
bool not_saved(const auto& result) {
  return !result && result.error().kind == ErrorKind::memory_not_saved;
}

/// A type has a readable name and the flag of GC types. Errors: corrupt, memory_not_saved when that
/// cannot be told.
Result<void> prove_type(const image::AddressSpace& memory, const Layout& layout, Address type) {
  const auto name = memory.load<Address>(type + layout.tp_name);
  const auto flags = memory.load<std::uint64_t>(type + layout.tp_flags);
  if (not_saved(name) || not_saved(flags)) {
    return std::unexpected(name ? flags.error() : name.error());
  }
  if (!name || !flags) {
    return fail(ErrorKind::corrupt, type, fmt::format("no type object at {:#x}", type));
  }
  const auto text = memory.load_string(*name, 128);
  if (not_saved(text)) {
    return std::unexpected(text.error());
  }
  if (!text || text->empty() ||
      std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return fail(ErrorKind::corrupt, type, fmt::format("the type at {:#x} has no name", type));
  }
  if ((*flags >> have_gc_bit & 1) == 0) {
    return fail(ErrorKind::corrupt, type,
                fmt::format("the type '{}' of a tracked object is not a GC type", *text));
  }
  return {};
}

Result<void> prove_list(const image::AddressSpace& memory, const Runtime& runtime,
                        const Interpreter& interpreter, const Generation& generation) {
  const Layout& layout = runtime.layout;
  const auto next = memory.load<Address>(generation.head + layout.gc_next);
  const auto prev = memory.load<Address>(generation.head + layout.gc_prev);
  if (!next || !prev) {
    return fail(ErrorKind::corrupt, generation.head, "a list head cannot be read");
  }
  Address node = *next & ~gc_flag_bits;
  const Address last = *prev & ~gc_flag_bits;
  if (node == 0 && last == 0 && generation.permanent) {
    return {}; // not yet initialised
  }
  if (!plausible(node, 4) || !plausible(last, 4)) {
    return fail(
        ErrorKind::corrupt, generation.head,
        fmt::format("generation {}: no list head at {:#x}", generation.name, generation.head));
  }
  // The last node's next is the head, in the middle of a collection too (unlike prev). Either end
  // may be the damaged one, so one sound end is enough.
  const auto closing = memory.load<Address>(last + layout.gc_next);
  const auto opening = memory.load<Address>(node + layout.gc_prev);
  const bool closed = closing && (*closing & ~gc_flag_bits) == generation.head;
  const bool opened = opening && (*opening & ~gc_flag_bits) == generation.head;
  if (!closed && !opened && !not_saved(closing) && !not_saved(opening)) {
    return fail(ErrorKind::corrupt, generation.head,
                fmt::format("generation {}: the list at {:#x} does not close", generation.name,
                            generation.head));
  }
  for (std::size_t i = 0; i < proof_objects && node != generation.head; ++i) {
    const Address object = node + layout.gc_head_size;
    const auto type = memory.load<Address>(object + layout.ob_type);
    if (!type) {
      break;
    }
    if (auto proof = prove_type(memory, layout, *type); !proof) {
      if (i == 0 && interpreter.id >= 0 && !not_saved(proof)) {
        return proof;
      }
      break;
    }
    const auto following = memory.load<Address>(node + layout.gc_next);
    if (!following) {
      break;
    }
    node = *following & ~gc_flag_bits;
  }
  return {};
}

} // namespace

Result<void> read_interpreters(const image::AddressSpace& memory, Runtime& runtime) {
  const Layout& layout = runtime.layout;
  auto next = memory.load<Address>(runtime.address + layout.interpreters_head);
  while (next && *next != 0) {
    if (!plausible(*next) || runtime.interpreters.size() >= interpreter_limit) {
      return fail(ErrorKind::corrupt, *next, fmt::format("no interpreter state at {:#x}", *next));
    }
    Interpreter interpreter;
    interpreter.address = *next;
    if (std::ranges::any_of(runtime.interpreters,
                            [&](const Interpreter& i) { return i.address == *next; })) {
      return fail(ErrorKind::corrupt, *next, "the list of interpreters is cyclic");
    }
    const auto id = memory.load<std::int64_t>(*next + layout.interp_id);
    if (!id) {
      return std::unexpected(id.error());
    }
    interpreter.id = *id;
    if (layout.interp_gc) {
      interpreter.gc_state = *next + *layout.interp_gc;
    } else if (layout.runtime_gc) {
      interpreter.gc_state = runtime.address + *layout.runtime_gc;
    } else {
      return fail(ErrorKind::corrupt, *next, "the layout has no collector state");
    }
    if (!layout.interp_gc && !runtime.interpreters.empty()) {
      // Up to 3.8 all interpreters share one collector: its lists belong to the first one listed.
      runtime.interpreters.push_back(std::move(interpreter));
      next = memory.load<Address>(runtime.interpreters.back().address + layout.interp_next);
      continue;
    }
    const auto enabled = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_enabled);
    const auto collecting = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_collecting);
    if (!enabled || !collecting) {
      return std::unexpected(enabled ? collecting.error() : enabled.error());
    }
    interpreter.enabled = *enabled != 0;
    interpreter.collecting = *collecting != 0;
    if (layout.interp_finalizing) {
      interpreter.finalizing =
          memory.load<std::int32_t>(*next + *layout.interp_finalizing).value_or(0) != 0;
    }
    if (auto read = read_generations(memory, layout, interpreter); !read) {
      return read;
    }
    runtime.interpreters.push_back(std::move(interpreter));
    next = memory.load<Address>(runtime.interpreters.back().address + layout.interp_next);
  }
  if (!next) {
    return std::unexpected(next.error());
  }
  return {};
}

Result<void> prove_layout(const image::AddressSpace& memory, const Runtime& runtime) {
  for (const Interpreter& interpreter : runtime.interpreters) {
    for (const Generation& generation : interpreter.generations) {
      if (auto proof = prove_list(memory, runtime, interpreter, generation); !proof) {
        return proof;
      }
    }
  }
  return {};
}

bool looks_like_object(const image::AddressSpace& memory, const Layout& layout, Address object) {
  const auto type = memory.load<Address>(object + layout.ob_type);
  return type && plausible(*type) && prove_type(memory, layout, *type).has_value();
}

} // namespace pygc::cpython
