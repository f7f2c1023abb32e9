#include "common/cpython/collector/generations.h"

#include "common/cpython/collector/gc_head.h"
#include "common/cpython/collector/generation_walk.h"
#include "common/cpython/collector/stack_lists.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace pygc::cpython {
namespace {

constexpr std::size_t proof_objects = 16; // objects looked at on each list
constexpr int generation_count = 3;       // NUM_GENERATIONS (Include/internal/pycore_gc.h)

Result<Space> read_generation(const image::AddressSpace& memory, const Layout& layout,
                              Address address, std::string name, SpaceKind kind) {
  const auto threshold = memory.load<std::int32_t>(address + layout.generation_threshold);
  const auto count = memory.load<std::int32_t>(address + layout.generation_count);
  if (!threshold || !count) {
    return std::unexpected(threshold ? count.error() : threshold.error());
  }
  return Space{.kind = kind,
               .name = std::move(name),
               .head = address + layout.generation_head,
               .count = *count,
               .threshold = *threshold};
}

Result<void> prove_list(const image::AddressSpace& memory, const Layout& layout,
                        const Interpreter& interpreter, const Space& generation) {
  const auto head = gc_head::read(memory, layout, generation.head);
  if (!head) {
    return fail(ErrorKind::corrupt, generation.head, "a list head cannot be read");
  }
  Address node = head->next_node();
  const Address last = head->prev_node();
  if (node == 0 && last == 0 && generation.kind == SpaceKind::permanent) {
    return {}; // not yet initialised
  }
  if (!is_plausible(node, gc_head::alignment) || !is_plausible(last, gc_head::alignment)) {
    return fail(
        ErrorKind::corrupt, generation.head,
        fmt::format("generation {}: no list head at {:#x}", generation.name, generation.head));
  }
  // The last node's next is the head, in the middle of a collection too (unlike prev). Either end
  // may be the damaged one, so one sound end is enough.
  const auto closing = gc_head::read(memory, layout, last);
  const auto opening = gc_head::read(memory, layout, node);
  const bool closed = closing && closing->next_node() == generation.head;
  const bool opened = opening && opening->prev_node() == generation.head;
  if (!closed && !opened && !is_not_saved(closing) && !is_not_saved(opening)) {
    return fail(ErrorKind::corrupt, generation.head,
                fmt::format("generation {}: the list at {:#x} does not close", generation.name,
                            generation.head));
  }
  for (std::size_t i = 0; i < proof_objects && node != generation.head; ++i) {
    const auto type = memory.load<Address>(gc_head::object_of(layout, node) + layout.ob_type);
    if (!type) {
      break;
    }
    if (auto proof = prove_type(memory, layout, *type); !proof) {
      if (i == 0 && interpreter.id >= 0 && !is_not_saved(proof)) {
        return proof;
      }
      break;
    }
    const auto following = gc_head::read(memory, layout, node);
    if (!following) {
      break;
    }
    node = following->next_node();
  }
  return {};
}

class ListStepping final : public Stepping {
public:
  Address gc_refs_word(const Layout& layout, Address object) const override {
    return gc_head::node_of(layout, object) + layout.gc_prev;
  }
  std::uint64_t least_with_reference() const override {
    return std::uint64_t{1} << gc_head::gc_refs_shift;
  }
  bool has_links() const override { return true; }
  Address link_behind(const Layout& layout, Address object) const override {
    return link_to_first(layout, gc_head::node_of(layout, object));
  }
  Address link_to_first(const Layout& layout, Address head) const override {
    return head + layout.gc_next;
  }
  bool is_cursor(const Layout& layout, std::uint64_t value, Address object) const override {
    return value == object || (value & ~gc_head::flag_bits) == gc_head::node_of(layout, object);
  }
};

class Generations final : public Collector {
public:
  Result<void> read(const image::AddressSpace& memory, const Layout& layout,
                    Interpreter& interpreter) const override {
    const auto enabled = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_enabled);
    const auto collecting = memory.load<std::int32_t>(interpreter.gc_state + layout.gc_collecting);
    if (!enabled || !collecting) {
      return std::unexpected(enabled ? collecting.error() : enabled.error());
    }
    interpreter.enabled = *enabled != 0;
    interpreter.collecting = *collecting != 0;
    std::vector<std::pair<Address, std::string>> where;
    if (layout.gc_generations) {
      for (int i = 0; i < generation_count; ++i) {
        where.emplace_back(interpreter.gc_state + *layout.gc_generations +
                               static_cast<Address>(i) * layout.generation_size,
                           std::to_string(i));
      }
    } else if (layout.gc_young && layout.gc_old) {
      where.emplace_back(interpreter.gc_state + *layout.gc_young, "young");
      where.emplace_back(interpreter.gc_state + *layout.gc_old, "old0");
      where.emplace_back(interpreter.gc_state + *layout.gc_old + layout.generation_size, "old1");
    } else {
      return fail(ErrorKind::corrupt, interpreter.gc_state, "the layout has no generations");
    }
    for (auto& [address, name] : where) {
      auto generation =
          read_generation(memory, layout, address, std::move(name), SpaceKind::collected);
      if (!generation) {
        return std::unexpected(generation.error());
      }
      interpreter.spaces.push_back(std::move(*generation));
    }
    auto permanent = read_generation(memory, layout, interpreter.gc_state + layout.gc_permanent,
                                     "permanent", SpaceKind::permanent);
    if (!permanent) {
      return std::unexpected(permanent.error());
    }
    interpreter.spaces.push_back(std::move(*permanent));
    return {};
  }

  /// In every interpreter each list head's neighbours point back to it, and the first objects'
  /// types look like types.
  Result<void> prove(const image::AddressSpace& memory, const Layout& layout,
                     const Interpreter& interpreter) const override {
    for (const Space& generation : interpreter.spaces) {
      if (auto proof = prove_list(memory, layout, interpreter, generation); !proof) {
        return proof;
      }
    }
    return {};
  }

  std::size_t find_running_spaces(const image::AddressSpace& memory,
                                  const std::vector<target::Thread>& threads,
                                  Runtime& runtime) const override {
    return find_stack_lists(memory, threads, runtime);
  }

  std::vector<std::size_t> taken(const Interpreter& interpreter,
                                 std::size_t oldest) const override {
    std::vector<std::size_t> joined;
    for (std::size_t g = 0; g < interpreter.spaces.size() && g <= oldest; ++g) {
      if (interpreter.spaces[g].kind != SpaceKind::permanent) {
        joined.push_back(g);
      }
    }
    // gc_list_merge() appends the younger lists, youngest first, to the oldest one collected.
    if (!joined.empty()) {
      std::rotate(joined.begin(), joined.end() - 1, joined.end());
    }
    return joined;
  }

  bool has_lists() const override { return true; }

  std::unique_ptr<HeapSource> source(const image::AddressSpace& memory,
                                     const Runtime& runtime) const override {
    return walk_generations(memory, runtime.layout);
  }

  Result<bool> is_tracked(const image::AddressSpace& memory, const Layout& layout,
                          Address object) const override {
    const auto next = memory.load<Address>(gc_head::node_of(layout, object) + layout.gc_next);
    return next ? Result<bool>(*next != 0) : std::unexpected(next.error());
  }

  const Stepping* stepping() const override { return &stepping_; }

private:
  ListStepping stepping_;
};

} // namespace

const Collector& generations() {
  static const Generations collector;
  return collector;
}

} // namespace pygc::cpython
