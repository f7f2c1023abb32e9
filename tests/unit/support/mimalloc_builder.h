// The heaps of a free-threaded interpreter made by hand: a thread, segments, pages, blocks.
#pragma once

#include "common/cpython/collector/heap_source.h"
#include "common/cpython/collector/mimalloc.h"
#include "common/cpython/gc_bits.h"
#include "common/cpython/runtime.h"
#include "common/image/address_space.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace pygc::tests {

inline constexpr Address state_base = 0x1000'0000; // runtime, interpreter, thread
inline constexpr std::uint64_t state_size = 0x8000;
inline constexpr Address runtime_state = state_base;
inline constexpr Address interpreter_state = state_base + 0x1000;
inline constexpr Address thread_state = state_base + 0x2000;
inline constexpr Address type_object = state_base + 0x7000;
inline constexpr Address queue_chunk = state_base + 0x7800; // for a queue of objects to be merged
inline constexpr std::uint64_t owner = 0x7000;              // the thread, as ob_tid names it
inline constexpr Address segment_base = 0x4000'0000;        // the first segment
inline constexpr unsigned header_slices = 2;
inline constexpr unsigned segment_slices = 6;

/// Offsets as those of 3.13.5.
inline cpython::Layout mimalloc_layout() {
  cpython::Layout layout;
  layout.ob_type = 24;
  layout.ob_size = 32;
  layout.interp_threads = 0x10;
  layout.thread_next = 8;
  layout.free_threaded = cpython::FreeThreadedLayout{.ob_tid = 0,
                                                     .ob_gc_bits = 11,
                                                     .ob_ref_local = 12,
                                                     .ob_ref_shared = 16,
                                                     .ob_mutex = 10,
                                                     .gc_long_lived_total = 0x40,
                                                     .interp_abandoned_pool = 0x200,
                                                     .interp_world_stopped = 0x100,
                                                     .runtime_debug_allocator = 0x80,
                                                     .thread_native_id = 0x10,
                                                     .thread_heaps = 0x20,
                                                     .thread_heaps_ready = 0x18,
                                                     .thread_alloc_count = 0x1c,
                                                     .thread_owner_id = 0x4000,
                                                     .thread_merge_queue = 0x4008,
                                                     .thread_own_merge_queue = 0x4010,
                                                     .chunk_previous = 0,
                                                     .chunk_count = 8,
                                                     .chunk_objects = 16,
                                                     .heap_size = 0xc00,
                                                     .heap_pages = 0x20,
                                                     .heap_delayed_free = 0x800,
                                                     .heap_keys = 0x808,
                                                     .heap_tag = 0x818,
                                                     .heap_page_count = 0x820,
                                                     .queue_size = 24,
                                                     .queue_first = 0,
                                                     .page_size = 96,
                                                     .page_slice_count = 0,
                                                     .page_debug_offset = 9,
                                                     .page_capacity = 10,
                                                     .page_reserved = 12,
                                                     .page_free = 16,
                                                     .page_used = 24,
                                                     .page_block_size = 28,
                                                     .page_local_free = 32,
                                                     .page_thread_free = 40,
                                                     .page_heap = 48,
                                                     .page_next = 56,
                                                     .page_keys = {},
                                                     .segment_abandoned_next = 176,
                                                     .segment_slice_count = 216,
                                                     .segment_slice_entries = 248,
                                                     .segment_slices = 264,
                                                     .pool_visited = 0,
                                                     .pool_abandoned = 64,
                                                     .pool_readers = 256};
  return layout;
}

class MimallocBuilder {
public:
  MimallocBuilder() {
    runtime_.address = runtime_state;
    runtime_.layout = mimalloc_layout();
    interpreter.address = interpreter_state;
    interpreter.spaces = {
        {.kind = cpython::SpaceKind::collected, .name = "thread 1", .head = thread_state},
        {.kind = cpython::SpaceKind::collected, .name = "abandoned", .head = pool()},
        {.kind = cpython::SpaceKind::permanent, .name = "permanent"}};
    put(interpreter_state + 0x10, thread_state);
    put(thread_state + fields().thread_heaps_ready, std::uint32_t{1});
    put(thread_state + *fields().thread_owner_id, owner);
    for (const unsigned tag : {cpython::mimalloc::gc_heap, cpython::mimalloc::gc_pre_heap}) {
      put(heap(tag) + fields().heap_tag, static_cast<std::uint8_t>(tag));
      put(heap(tag) + fields().heap_keys, std::array<std::uint64_t, 2>{0x1234567, 0xabcdef0123});
    }
  }

  cpython::FreeThreadedLayout& fields() { return *runtime_.layout.free_threaded; }
  cpython::Runtime& runtime() { return runtime_; }
  Address pool() { return interpreter_state + fields().interp_abandoned_pool; }
  Address heap(unsigned tag) {
    return thread_state + fields().thread_heaps + Address{tag} * fields().heap_size;
  }

  /// A segment with no page in use yet; its pages are to be made in order.
  Address add_segment() {
    const Address at = segment_base + segments_.size() * cpython::mimalloc::segment_size;
    segments_.emplace_back(segment_slices * cpython::mimalloc::slice_size);
    put(at + fields().segment_slice_count, std::uint64_t{segment_slices});
    put(at + fields().segment_slice_entries, std::uint64_t{segment_slices});
    put(slice(at, 0), std::uint32_t{header_slices});
    put(slice(at, 0) + fields().page_block_size, std::uint32_t{1});
    for (unsigned i = header_slices; i < segment_slices; ++i) {
      put(slice(at, i), std::uint32_t{1});
    }
    return at;
  }

  /// A page of one slice with blocks that are all allocated, and empty.
  Address add_page(Address segment, unsigned index, unsigned tag, std::uint32_t block_size,
                   std::uint16_t capacity) {
    const Address page = slice(segment, index);
    put(page + fields().page_debug_offset - 1, static_cast<std::uint8_t>(tag << 3U));
    put(page + fields().page_capacity, capacity);
    put(page + fields().page_reserved, capacity);
    put(page + fields().page_used, std::uint32_t{capacity});
    put(page + fields().page_block_size, block_size);
    return page;
  }
  /// Puts a page into a queue of the thread's heap, before those that are there.
  void enqueue(Address page, unsigned tag, unsigned queue) {
    const Address first = heap(tag) + fields().heap_pages + Address{queue} * fields().queue_size;
    put(page + fields().page_next, get<Address>(first));
    put(page + fields().page_heap, heap(tag));
    put(first, page);
    const Address count = heap(tag) + fields().heap_page_count;
    put(count, get<std::uint64_t>(count) + 1);
  }
  Address slice(Address segment, unsigned index) {
    return segment + fields().segment_slices + Address{index} * fields().page_size;
  }
  static Address block(Address segment, unsigned index, std::uint32_t size, unsigned number) {
    const std::uint64_t skip = size <= 64 ? 3 * size : size <= 512 ? size : 0;
    return segment + index * cpython::mimalloc::slice_size + skip + std::uint64_t{number} * size;
  }

  void add_object(Address object, std::uint8_t bits = cpython::gc_bits::tracked,
                  std::uint32_t local = 1, std::int64_t shared = 0, std::uint64_t tid = owner) {
    put(object, tid);
    put(object + fields().ob_gc_bits, bits);
    put(object + fields().ob_ref_local, local);
    put(object + fields().ob_ref_shared, shared);
    put(object + runtime_.layout.ob_type, type_object);
  }

  /// Puts an object on the thread's queue of those that it is to merge, behind those that are
  /// there.
  void queue(Address object) {
    put(thread_state + *fields().thread_merge_queue, queue_chunk);
    const auto count = get<std::uint64_t>(queue_chunk + *fields().chunk_count);
    put(queue_chunk + *fields().chunk_objects + count * sizeof(Address), object);
    put(queue_chunk + *fields().chunk_count, count + 1);
  }

  /// mi_block_set_nextx
  static std::uint64_t encode(Address next, std::array<std::uint64_t, 2> keys, Address null) {
    const Address word = next == 0 ? null : next;
    return std::rotl(word ^ keys[1], static_cast<int>(keys[0] % 64)) + keys[0];
  }

  template <class T> void put(Address at, T value) {
    std::memcpy(bytes_at(at, sizeof value), &value, sizeof value);
  }
  template <class T> T get(Address at) {
    T value{};
    std::memcpy(&value, bytes_at(at, sizeof value), sizeof value);
    return value;
  }

  /// Of the last segment the core keeps only so many slices.
  void keep_slices(unsigned count) { kept_ = count; }

  /// Nothing may be changed afterwards.
  const image::AddressSpace& finish() {
    runtime_.interpreters = {interpreter};
    add_region(state_base, state_, state_.size());
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const bool last = i + 1 == segments_.size();
      add_region(segment_base + i * cpython::mimalloc::segment_size, segments_[i],
                 last ? kept_ * cpython::mimalloc::slice_size : segments_[i].size());
    }
    memory_.sort();
    return memory_;
  }

  cpython::Interpreter interpreter;

private:
  std::uint8_t* bytes_at(Address at, std::size_t size) {
    if (at >= state_base && at + size <= state_base + state_size) {
      return state_.data() + (at - state_base);
    }
    const std::size_t index = (at - segment_base) / cpython::mimalloc::segment_size;
    const std::size_t offset = (at - segment_base) % cpython::mimalloc::segment_size;
    EXPECT_LE(offset + size, segments_.at(index).size());
    return segments_.at(index).data() + offset;
  }

  void add_region(Address start, const std::vector<std::uint8_t>& bytes, std::size_t kept) {
    const int fd = ::memfd_create("heap", MFD_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    memory_.own(fd);
    image::Region region;
    region.start = start;
    region.end = start + kept;
    region.source = image::Source::saved;
    region.fd = fd;
    region.permissions = {.read = true, .write = true, .execute = false};
    EXPECT_TRUE(memory_.add(region));
    if (kept < bytes.size()) {
      image::Region missing;
      missing.start = start + kept;
      missing.end = start + bytes.size();
      missing.permissions = region.permissions;
      missing.why_missing = "the core lacks it";
      EXPECT_TRUE(memory_.add(missing));
    }
  }

  cpython::Runtime runtime_;
  std::vector<std::uint8_t> state_ = std::vector<std::uint8_t>(state_size);
  std::vector<std::vector<std::uint8_t>> segments_;
  unsigned kept_ = segment_slices;
  image::AddressSpace memory_;
};

/// What a walk has found.
struct Recorded {
  std::vector<cpython::TrackedObject> tracked;
  std::vector<Address> objects;
  std::vector<cpython::SpaceFault> faults;
};

class RecordingSink final : public cpython::HeapSink {
public:
  Recorded recorded;

  cpython::Verdict add(const cpython::TrackedObject& object) override {
    recorded.tracked.push_back(object);
    recorded.objects.push_back(object.object);
    return cpython::Verdict::usable;
  }
  std::span<const Address> added() const override { return recorded.objects; }
  void drop_repeated() override {}
  std::size_t add_fault(cpython::SpaceFault fault) override {
    recorded.faults.push_back(std::move(fault));
    return recorded.faults.size() - 1;
  }
  void withdraw(std::size_t) override {}
  std::string take_back_object_fault() override { return {}; }
  Result<void> proceed() override { return {}; }
};

} // namespace pygc::tests
