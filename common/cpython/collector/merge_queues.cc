#include "common/cpython/collector/merge_queues.h"

#include "common/cpython/collector/free_threaded_walk.h"
#include "common/cpython/type_proof.h"

#include <fmt/format.h>
#include <vector>

namespace pygc::cpython {
namespace {

constexpr std::int64_t chunk_capacity = 254; // _Py_OBJECT_STACK_CHUNK_SIZE
constexpr std::size_t chunk_limit = std::size_t{1} << 20U;

class Reader {
public:
  Reader(const image::AddressSpace& memory, const FreeThreadedLayout& layout)
      : memory_(memory), layout_(layout) {}

  MergeQueues run(const Runtime& runtime) {
    if (!layout_.thread_owner_id || !layout_.thread_merge_queue ||
        !layout_.thread_own_merge_queue || !layout_.chunk_previous || !layout_.chunk_count ||
        !layout_.chunk_objects) {
      return {};
    }
    for (const Interpreter& interpreter : runtime.interpreters) {
      const auto threads = thread_states(memory_, runtime.layout, interpreter);
      if (!threads) {
        return failed(threads.error());
      }
      for (const Address thread : *threads) {
        if (auto read = read_thread(thread); !read) {
          return failed(read.error());
        }
      }
    }
    queues_.known = true;
    return std::move(queues_);
  }

private:
  MergeQueues failed(const Error& error) {
    queues_.problem =
        fmt::format("the queues of objects to be merged cannot be read: {}", error.reason);
    queues_.memory_missing = error.kind == ErrorKind::memory_not_saved;
    return std::move(queues_);
  }

  Result<void> read_thread(Address thread) {
    const auto owner = memory_.load<std::uint64_t>(thread + *layout_.thread_owner_id);
    if (!owner) {
      return std::unexpected(owner.error());
    }
    if (*owner != 0) { // else no thread of the system is bound to it yet
      queues_.owners.insert(*owner);
    }
    for (const std::uint32_t queue :
         {*layout_.thread_merge_queue, *layout_.thread_own_merge_queue}) {
      if (auto read = read_queue(thread + queue); !read) {
        return read;
      }
    }
    return {};
  }

  Result<void> read_queue(Address head) {
    auto chunk = memory_.load<Address>(head);
    for (; chunk && *chunk != 0; chunk = memory_.load<Address>(*chunk + *layout_.chunk_previous)) {
      if (!is_plausible(*chunk, sizeof(Address)) || ++chunks_ > chunk_limit) {
        return fail(
            ErrorKind::corrupt, head,
            fmt::format("the one at {:#x} leads to {:#x}, and not to its end", head, *chunk));
      }
      const auto count = memory_.load<std::int64_t>(*chunk + *layout_.chunk_count);
      if (!count) {
        return std::unexpected(count.error());
      }
      if (*count < 0 || *count > chunk_capacity) {
        return fail(ErrorKind::corrupt, *chunk,
                    fmt::format("a piece of one, at {:#x}, holds {} objects", *chunk, *count));
      }
      for (std::int64_t i = 0; i < *count; ++i) {
        const auto object = memory_.load<Address>(*chunk + *layout_.chunk_objects +
                                                  static_cast<std::uint64_t>(i) * sizeof(Address));
        if (!object) {
          return std::unexpected(object.error());
        }
        queues_.objects.insert(*object);
      }
    }
    return chunk ? Result<void>() : std::unexpected(chunk.error());
  }

  const image::AddressSpace& memory_;
  const FreeThreadedLayout& layout_;
  MergeQueues queues_;
  std::size_t chunks_ = 0;
};

} // namespace

MergeQueues read_merge_queues(const image::AddressSpace& memory, const Runtime& runtime) {
  return Reader(memory, *runtime.layout.free_threaded).run(runtime);
}

} // namespace pygc::cpython
