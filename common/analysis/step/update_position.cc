#include "common/analysis/step/update_position.h"

#include "common/cpython/gc_bits.h"
#include "common/machine/machine.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <unordered_set>

namespace pygc::analysis {
namespace {

/// What runs the passes over all heaps, and is called anew for each heap, page or block.
constexpr std::array<std::string_view, 4> visitors = {"mi_", "_mi_", "gc_visit_heaps",
                                                      "update_refs"};

constexpr std::size_t first_argument = [] {
  std::size_t number = 0;
  while (std::string_view(machine::register_names.at(number)) != machine::first_argument_name) {
    ++number;
  }
  return number;
}();

/// The debug allocator's words, managed dict and weak references.
constexpr std::uint64_t most_before_object = 4 * sizeof(Address);

// Each is a replay. Containers that nobody has visited yet end the search soon.
constexpr std::size_t most_guesses = 200;

std::int64_t total(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

class Finder {
public:
  Finder(const image::AddressSpace& memory, const heap::CollectedSet& set, const SubtractCode& code,
         SubtractReplay& replay)
      : memory_(memory), set_(set), code_(code), replay_(replay) {}

  Result<std::optional<SubtractPosition>> run(std::span<const image::Frame> frames) {
    std::vector<std::uint32_t> found;
    std::span<const image::Frame> outer; // from the one that runs update_refs on
    for (std::size_t i = 0; i < frames.size() && outer.empty(); ++i) {
      const image::Frame& frame = frames[i];
      const bool innermost = frame.cfa == frames.front().cfa;
      for (const cpython::SubtractLoop& each : code_.loops) {
        if (innermost && frame.pc == each.call) {
          outer = frames.subspan(i);
          if (const auto argument = frame.registers[first_argument]) {
            found = objects({*argument});
          }
        } else if (!innermost && frame.pc == each.return_address) {
          outer = frames.subspan(i);
          found = candidates(outer);
          position_.inside = true;
        }
      }
    }
    if (outer.empty()) {
      return std::nullopt;
    }
    auto fitting = choose(found, false);
    if (fitting && !*fitting && position_.inside) {
      fitting = choose(begun_last(), true);
    }
    // References may have changed since they were counted: the frame's only one stands.
    if (fitting && !*fitting && found.size() == 1) {
      const auto read = fits(found.front());
      fitting = read ? Result<bool>(true) : read;
    }
    if (!fitting) {
      return std::unexpected(fitting.error());
    }
    if (!*fitting) {
      return std::nullopt;
    }
    position_.caller = behind_pass(outer);
    return std::move(position_);
  }

private:
  /// The first that what is stored fits to: all in all, or each gc_refs.
  Result<bool> choose(const std::vector<std::uint32_t>& containers, bool each) {
    for (const std::uint32_t container : containers) {
      const auto fitting = fits(container);
      if (!fitting || (*fitting && (!each || each_fits()))) {
        return fitting;
      }
    }
    return false;
  }

  /// Of a container that is being traversed.
  bool each_fits() const {
    for (std::size_t i = 0; i < position_.stored.size(); ++i) {
      const std::int64_t made = position_.before[i] - position_.stored[i];
      if (made < 0 || made > position_.taken[i]) {
        return false;
      }
    }
    return true;
  }

  /// Where no register holds the block any more: the containers that may be the last whose count
  /// update_refs has added. From there on nothing is stored but what others' visits have taken.
  std::vector<std::uint32_t> begun_last() const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < set_.objects.size(); ++i) {
      const Address object = set_.objects[heap::SetIndex(i)];
      const auto word =
          memory_.load<std::int64_t>(code_.stepping.gc_refs_word(code_.layout, object));
      const auto bits = memory_.load<std::uint8_t>(object + code_.layout.free_threaded->ob_gc_bits);
      const bool begun = word && bits && (*bits & cpython::gc_bits::unreachable) != 0;
      if (!begun) {
        break;
      }
      if (*word > 0) {
        found.clear();
      }
      if (found.size() < most_guesses) {
        found.push_back(i);
      }
    }
    return found;
  }

  std::vector<std::uint32_t> objects(const std::unordered_set<Address>& addresses) const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < set_.objects.size(); ++i) {
      if (addresses.contains(set_.objects[heap::SetIndex(i)])) {
        found.push_back(i);
      }
    }
    return found;
  }

  /// What the frame and the one that has called it for a block may have in their registers: the
  /// object, or the block that it lies in.
  std::vector<std::uint32_t> candidates(std::span<const image::Frame> frames) const {
    std::unordered_set<Address> addresses;
    const auto add = [&](Address value) {
      for (std::uint64_t before = 0; before <= most_before_object; before += sizeof(Address)) {
        addresses.insert(value + before);
      }
    };
    std::size_t callers = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      callers += i > 0 && frames[i].cfa != frames[i - 1].cfa ? 1U : 0U;
      if (callers > 1) {
        break;
      }
      for (std::size_t number = 0; number < frames[i].registers.size(); ++number) {
        if (const auto value = frames[i].registers[number];
            value && machine::is_callee_saved(number)) {
          add(*value);
        }
      }
      for (const char* name : {"op", "block"}) {
        if (const auto variable = frames[i].variables.find(name);
            variable != frames[i].variables.end()) {
          add(variable->second);
        }
      }
    }
    return objects(addresses);
  }

  /// Reads what is stored when it is this container's turn; true when it fits to that.
  Result<bool> fits(std::uint32_t container) {
    position_.container = container;
    position_.stored.clear();
    position_.cleared_first.clear();
    for (std::uint32_t i = 0; i < set_.objects.size(); ++i) {
      const Address object = set_.objects[heap::SetIndex(i)];
      const auto word =
          memory_.load<std::int64_t>(code_.stepping.gc_refs_word(code_.layout, object));
      const auto bits = memory_.load<std::uint8_t>(object + code_.layout.free_threaded->ob_gc_bits);
      if (!word || !bits) {
        return std::unexpected(word ? bits.error() : word.error());
      }
      const bool begun = (*bits & cpython::gc_bits::unreachable) != 0;
      const auto references = static_cast<std::int64_t>(set_.refcounts[heap::SetIndex(i)]);
      position_.stored.push_back((begun ? *word : 0) + (i > container ? references : 0));
      position_.cleared_first.push_back(!begun && *word != 0);
    }
    auto before = replay_.gc_refs_after(container);
    auto taken = before ? replay_.decrements_by(container) : std::unexpected(before.error());
    if (!taken) {
      return std::unexpected(taken.error());
    }
    position_.before = std::move(*before);
    position_.taken = std::move(*taken);
    const std::int64_t made = total(position_.before) - total(position_.stored);
    position_.visits = static_cast<std::uint64_t>(std::max<std::int64_t>(made, 0));
    return position_.inside ? made >= 0 && made <= total(position_.taken) : made == 0;
  }

  /// Where the process comes by when update_refs has seen all blocks; 0 when unknown. Inlined
  /// calls share a frame.
  static Address behind_pass(std::span<const image::Frame> frames) {
    Address visiting = frames.front().cfa;
    for (const image::Frame& frame : frames) {
      if (std::ranges::any_of(
              visitors, [&](std::string_view name) { return frame.function.starts_with(name); })) {
        visiting = frame.cfa;
      }
    }
    const auto behind = std::ranges::find(frames, visiting, &image::Frame::cfa);
    const auto caller = std::find_if(
        behind, frames.end(), [&](const image::Frame& frame) { return frame.cfa != visiting; });
    return caller == frames.end() ? 0 : caller->pc;
  }

  const image::AddressSpace& memory_;
  const heap::CollectedSet& set_;
  const SubtractCode& code_;
  SubtractReplay& replay_;
  SubtractPosition position_;
};

} // namespace

Result<std::optional<SubtractPosition>> find_update_position(const image::AddressSpace& memory,
                                                             const heap::CollectedSet& set,
                                                             const SubtractCode& code,
                                                             std::span<const image::Frame> frames,
                                                             SubtractReplay& replay) {
  return Finder(memory, set, code, replay).run(frames);
}

} // namespace pygc::analysis
