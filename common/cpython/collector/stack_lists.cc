#include "common/cpython/collector/stack_lists.h"

#include "common/cpython/runtime_reader.h"
#include "common/machine/machine.h"

#include <algorithm>
#include <cstring>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = 256;
constexpr std::size_t stack_limit = std::size_t{1} << 20; // bytes looked at above sp, a thread
constexpr Address flag_bits = 3;

bool plausible(Address node) {
  return node >= 4096 && node < machine::user_space_end && node % 4 == 0;
}

/// True when the two words at `head` are a PyGC_Head with objects behind it.
bool closes_a_ring(const image::AddressSpace& memory, const Layout& layout, Address head,
                   Address next, Address prev, Address stack, std::size_t stack_size) {
  const Address first = next & ~flag_bits;
  const Address last = prev & ~flag_bits;
  const auto on_stack = [&](Address a) { return a >= stack && a < stack + stack_size; };
  if (!plausible(first) || !plausible(last) || on_stack(first) || on_stack(last)) {
    return false;
  }
  const auto closing = memory.load<Address>(last + layout.gc_next);
  if (!closing || (*closing & ~flag_bits) != head) {
    return false;
  }
  return looks_like_object(memory, layout, first + layout.gc_head_size);
}

} // namespace

std::size_t find_stack_lists(const image::AddressSpace& memory,
                             const std::vector<target::Thread>& threads, Runtime& runtime) {
  const auto collecting = std::ranges::find_if(runtime.interpreters, &Interpreter::collecting);
  const Layout& layout = runtime.layout;
  if (collecting == runtime.interpreters.end() || layout.gc_prev != layout.gc_next + 8) {
    return 0;
  }
  std::size_t found = 0;
  for (std::size_t t = 0; t < std::min(threads.size(), thread_limit); ++t) {
    const Address start = (threads[t].sp + 7) & ~Address{7};
    const image::Region* region = memory.find(start);
    if (region == nullptr) {
      continue;
    }
    const std::size_t size = std::min<std::size_t>(region->end - start, stack_limit);
    const auto stack = memory.view(start, size);
    if (!stack) {
      continue;
    }
    for (std::size_t i = 0; i + 16 <= size; i += 8) {
      Address words[2];
      std::memcpy(words, stack->data() + i, sizeof words);
      const Address head = start + i;
      if (closes_a_ring(memory, layout, head, words[0], words[1], start, size)) {
        collecting->generations.push_back({.name = "stack",
                                           .head = head,
                                           .count = 0,
                                           .threshold = 0,
                                           .permanent = false,
                                           .on_stack = true});
        ++found;
      }
    }
  }
  return found;
}

} // namespace pygc::cpython
