#include "common/cpython/collector/free_lists.h"

#include "common/cpython/collector/collector.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace pygc::cpython {
namespace {

constexpr std::size_t most_lists = 64;          // of tuples, by their sizes
constexpr std::size_t most_entries = 1U << 16U; // of one list of tuples

/// In a PyInterpreterState: an array of entries or lists, and behind it how many there are.
struct Array {
  std::uint32_t entries = 0;
  std::uint32_t counts = 0;
};

struct Arrays {
  Array tuples, lists, dicts;
};

std::optional<Array> array_of(const Layout::Maybe& entries, const Layout::Maybe& counts) {
  return entries && counts && *entries < *counts ? std::optional(Array{*entries, *counts})
                                                 : std::nullopt;
}

std::optional<Arrays> arrays_of(const Runtime& runtime) {
  const Layout& layout = runtime.layout;
  if (runtime.layout_source == LayoutSource::probed || !collector_of(layout).has_lists()) {
    return std::nullopt;
  }
  const auto tuples = array_of(layout.free_tuples, layout.free_tuple_counts);
  const auto lists = array_of(layout.free_lists, layout.free_list_count);
  const auto dicts = array_of(layout.free_dicts, layout.free_dict_count);
  return tuples && lists && dicts ? std::optional(Arrays{*tuples, *lists, *dicts}) : std::nullopt;
}

class FreeLists {
public:
  FreeLists(const image::AddressSpace& memory, const Runtime& runtime,
            const Interpreter& interpreter)
      : memory_(memory), runtime_(runtime), layout_(runtime.layout),
        interpreter_(interpreter.address) {}

  std::vector<BrokenFreeList> run(const Arrays& arrays) {
    walk_tuples(arrays.tuples);
    walk_array("list", arrays.lists);
    walk_array("dict", arrays.dicts);
    return std::move(broken_);
  }

private:
  /// Reads what an entry leads to. False: it is no pointer.
  bool leads_to_memory(Address object) const {
    if (object % sizeof(Address) != 0) {
      return false;
    }
    const auto head = memory_.load<Address>(object - layout_.gc_head_size);
    return head || head.error().kind != ErrorKind::memory_unmapped;
  }
  bool is_linked(Address object) const {
    const auto next = memory_.load<Address>(object - layout_.gc_head_size + layout_.gc_next);
    return next && *next != 0;
  }
  /// Up to 3.10 the first list holds the empty tuple, which is in use.
  bool is_empty_tuple(Address object) const {
    const auto size = memory_.load<std::int64_t>(object + layout_.ob_size);
    const auto count = memory_.load<std::uint64_t>(object + layout_.ob_refcnt);
    return size && *size == 0 && count && runtime_.refcount(*count) != 0;
  }

  /// Each list goes on in the first item of its tuples.
  void walk_tuples(const Array& tuples) {
    const std::size_t lists =
        std::min<std::size_t>((tuples.counts - tuples.entries) / sizeof(Address), most_lists);
    for (std::size_t i = 0; i < lists; ++i) {
      Address place = interpreter_ + tuples.entries + i * sizeof(Address);
      auto entry = memory_.load<Address>(place);
      if (entry && *entry != 0 && i == 0 && leads_to_memory(*entry) && is_empty_tuple(*entry)) {
        continue;
      }
      for (std::size_t n = 0; entry && *entry != 0 && n < most_entries; ++n) {
        if (!is_sound("tuple", place, *entry, true)) {
          break;
        }
        place = *entry + layout_.ob_size + sizeof(std::int64_t);
        entry = memory_.load<Address>(place);
      }
    }
  }

  void walk_array(const char* type, const Array& objects) {
    const std::uint32_t room = (objects.counts - objects.entries) / sizeof(Address);
    const Address place = interpreter_ + objects.counts;
    const auto count = memory_.load<std::int32_t>(place);
    if (!count || *count == -1) { // -1: the interpreter is ending
      return;
    }
    if (*count < 0 || static_cast<std::uint32_t>(*count) > room) {
      broken_.push_back({.type = type,
                         .fault = FreeListFault::count,
                         .place = place,
                         .value = static_cast<Address>(static_cast<std::uint32_t>(*count))});
      return;
    }
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(*count); ++i) {
      const Address at = interpreter_ + objects.entries + i * sizeof(Address);
      const auto entry = memory_.load<Address>(at);
      // The count is stored before the last entry is.
      const bool last = i + 1 == static_cast<std::uint32_t>(*count);
      if (entry && !is_sound(type, at, *entry, !last)) {
        return;
      }
    }
  }

  bool is_sound(const char* type, Address place, Address entry, bool settled) {
    const bool pointer = leads_to_memory(entry);
    if (pointer && !(settled && is_linked(entry))) {
      return true;
    }
    broken_.push_back({.type = type,
                       .fault = pointer ? FreeListFault::linked : FreeListFault::no_pointer,
                       .place = place,
                       .value = entry});
    return false;
  }

  const image::AddressSpace& memory_;
  const Runtime& runtime_;
  const Layout& layout_;
  Address interpreter_;
  std::vector<BrokenFreeList> broken_;
};

} // namespace

bool knows_free_lists(const Runtime& runtime) {
  return arrays_of(runtime).has_value();
}

std::vector<BrokenFreeList> broken_free_lists(const image::AddressSpace& memory,
                                              const Runtime& runtime,
                                              const Interpreter& interpreter) {
  const auto arrays = arrays_of(runtime);
  return arrays ? FreeLists(memory, runtime, interpreter).run(*arrays)
                : std::vector<BrokenFreeList>{};
}

} // namespace pygc::cpython
