#include "common/session/current_thread.h"

#include "common/cpython/collector/current_thread.h"
#include "common/cpython/collector/free_threaded_walk.h"

#include <unordered_map>
#include <unordered_set>

namespace pygc::session {
namespace {

/// The PyThreadStates, and by thread pointers and the system's numbers those of their threads.
struct States {
  std::unordered_set<Address> all;
  std::unordered_map<std::uint64_t, Address> by_pointer;
  std::unordered_map<std::uint64_t, Address> by_number;
};

States states_of(const image::AddressSpace& memory, const cpython::Runtime& runtime,
                 const cpython::FreeThreadedLayout& layout) {
  States states;
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    const auto threads = cpython::thread_states(memory, runtime.layout, interpreter);
    for (const Address state : threads ? *threads : std::vector<Address>()) {
      states.all.insert(state);
      if (const auto number = memory.load<std::uint64_t>(state + layout.thread_native_id)) {
        states.by_number.emplace(*number, state);
      }
      const auto owner = layout.thread_owner_id
                             ? memory.load<std::uint64_t>(state + *layout.thread_owner_id)
                             : Result<std::uint64_t>(0);
      if (owner && *owner != 0) {
        states.by_pointer.emplace(*owner, state);
      }
    }
  }
  return states;
}

Address state_of(const States& states, const target::Thread& thread) {
  if (const auto found = states.by_pointer.find(thread.thread_pointer);
      found != states.by_pointer.end()) {
    return found->second;
  }
  const auto found = states.by_number.find(thread.tid);
  return found == states.by_number.end() ? 0 : found->second;
}

} // namespace

CurrentThread current_thread(const image::AddressSpace& memory, const cpython::Runtime& runtime,
                             const std::vector<target::Thread>& threads) {
  CurrentThread first;
  for (const target::Thread& thread : threads) {
    if (thread.thread_pointer != 0) {
      first.thread_pointer = thread.thread_pointer;
      break;
    }
  }
  const auto& layout = runtime.layout.free_threaded;
  const auto offset =
      layout ? cpython::current_thread_offset(memory, *runtime.module) : std::nullopt;
  if (!layout || !offset) {
    return first;
  }
  const States states = states_of(memory, runtime, *layout);
  CurrentThread lent;
  for (const target::Thread& thread : threads) {
    const Address word = thread.thread_pointer + static_cast<Address>(*offset);
    const auto state =
        thread.thread_pointer != 0 ? memory.load<Address>(word) : Result<Address>(~Address{0});
    if (state && states.all.contains(*state)) {
      return {.thread_pointer = thread.thread_pointer, .lent = {}};
    }
    if (state && *state == 0 && lent.thread_pointer == 0) {
      if (const Address own = state_of(states, thread); own != 0) {
        lent = {.thread_pointer = thread.thread_pointer, .lent = {.at = word, .value = own}};
      }
    }
  }
  return lent.thread_pointer != 0 ? lent : first;
}

} // namespace pygc::session
