#include "common/cpython/collector/stack_lists.h"

#include "common/cpython/collector/gc_head.h"
#include "common/cpython/type_proof.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace pygc::cpython {
namespace {

constexpr std::size_t thread_limit = 65536;
constexpr std::size_t stack_limit = std::size_t{1} << 20; // bytes looked at above sp, a thread
constexpr std::size_t list_limit = 16;      // the collector has at most five such variables
constexpr std::size_t ring_limit = 1 << 22; // nodes followed to tell whose list it is

class Search {
public:
  Search(const image::AddressSpace& memory, const Runtime& runtime)
      : memory_(memory), layout_(runtime.layout) {
    for (const Interpreter& interpreter : runtime.interpreters) {
      for (const Space& generation : interpreter.spaces) {
        heads_.insert(generation.head);
      }
    }
  }

  const std::vector<Address>& found() const { return found_; }

  void look_at(const target::Thread& thread) {
    const Address start = (thread.sp + 7) & ~Address{7};
    const Address end = end_of_stack(thread, start);
    const auto stack = memory_.view(start, end - start);
    if (end <= start || !stack) {
      return;
    }
    for (std::size_t i = 0; i + 16 <= end - start && found_.size() < list_limit; i += 8) {
      Address words[2];
      std::memcpy(words, stack->data() + i, sizeof words);
      const image::Range bounds{start, end};
      if (closes_a_ring(start + i, words[0], words[1], bounds) &&
          is_lists_own(start + i, words[0])) {
        found_.push_back(start + i);
      }
    }
  }

private:
  /// A thread's own data begins where its stack ends, in one mapping with it (pthread_create of
  /// glibc and musl); what lies behind may be anything, an arena of objects too. The main thread
  /// has its data elsewhere, and its stack ends with the mapping.
  Address end_of_stack(const target::Thread& thread, Address start) const {
    const image::Region* region = memory_.find(start);
    if (region == nullptr) {
      return start;
    }
    Address end = std::min(region->end, start + stack_limit);
    if (thread.thread_pointer > start && thread.thread_pointer < end) {
      end = thread.thread_pointer;
    }
    return end;
  }

  /// True when the two words at `head` are a PyGC_Head with objects behind it. What follows it on
  /// the stack may look like an object by chance (sid's 3.14 debug build, 3.10.13).
  bool closes_a_ring(Address head, Address next, Address prev, image::Range stack) const {
    const Address first = next & ~gc_head::flag_bits;
    const Address last = prev & ~gc_head::flag_bits;
    if (!is_plausible(first, gc_head::alignment) || !is_plausible(last, gc_head::alignment) ||
        stack.contains(first) || stack.contains(last)) {
      return false;
    }
    const auto closing = memory_.load<Address>(last + layout_.gc_next);
    return closing && (*closing & ~gc_head::flag_bits) == head &&
           looks_like_object(memory_, layout_, gc_head::object_of(layout_, first));
  }

  /// A node of a generation closes a ring too: the generation's.
  bool is_lists_own(Address head, Address next) {
    Address node = next & ~gc_head::flag_bits;
    for (std::size_t i = 0; i < ring_limit && node != head; ++i) {
      if (heads_.contains(node)) {
        return false;
      }
      const auto following = memory_.load<Address>(node + layout_.gc_next);
      if (!following || !is_plausible(*following & ~gc_head::flag_bits, gc_head::alignment)) {
        break; // damaged on the way: the walk of the heap tells of it
      }
      node = *following & ~gc_head::flag_bits;
    }
    return true;
  }

  const image::AddressSpace& memory_;
  const Layout& layout_;
  std::unordered_set<Address> heads_; // of generations
  std::vector<Address> found_;
};

} // namespace

std::size_t find_stack_lists(const image::AddressSpace& memory,
                             const std::vector<target::Thread>& threads, Runtime& runtime) {
  const auto collecting = std::ranges::find_if(runtime.interpreters, &Interpreter::collecting);
  if (collecting == runtime.interpreters.end() ||
      runtime.layout.gc_prev != runtime.layout.gc_next + 8) {
    return 0;
  }
  Search search(memory, runtime);
  for (std::size_t t = 0; t < std::min(threads.size(), thread_limit); ++t) {
    search.look_at(threads[t]);
  }
  for (const Address head : search.found()) {
    collecting->spaces.push_back(
        {.kind = SpaceKind::running, .name = "stack", .head = head, .count = 0, .threshold = 0});
  }
  return search.found().size();
}

} // namespace pygc::cpython
