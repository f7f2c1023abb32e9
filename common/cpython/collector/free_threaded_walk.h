// The objects of a free-threaded build's collector, found as its gc_visit_heaps() finds them: in
// the allocator's heaps of each thread, and in what ended threads have left.
#pragma once

#include "common/cpython/collector/heap_source.h"

#include <memory>

namespace pygc::cpython {

inline constexpr std::uint64_t debug_words = 2 * sizeof(Address); // the debug allocator's, in front
inline constexpr std::uint64_t pre_header = 2 * sizeof(Address);  // managed dict, weak references

/// Both must outlive what is returned.
std::unique_ptr<HeapSource> walk_allocator(const image::AddressSpace& memory,
                                           const Runtime& runtime);

/// The thread states of an interpreter, in its order. Errors: corrupt, memory_*.
Result<std::vector<Address>> thread_states(const image::AddressSpace& memory, const Layout& layout,
                                           const Interpreter& interpreter);

/// A thread has heaps from its first allocation on. Errors: memory_*.
Result<bool> has_heaps(const image::AddressSpace& memory, const Layout& layout, Address thread);

/// Of a thread, by mimalloc::gc_heap or gc_pre_heap.
Address heap_of(const FreeThreadedLayout& layout, Address thread, unsigned heap);

} // namespace pygc::cpython
