// What holds an object from outside of the collector's sight: words of memory, named by where they
// lie.
#pragma once

#include "common/analysis/explore/words.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/slot_names.h"
#include "common/cpython/objects/object_reader.h"
#include "common/image/module.h"
#include "common/machine/thread.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pygc::analysis {

enum class RootKind : std::uint8_t {
  frame,          // a running Python function's local or temporary (3.11+)
  interpreter,    // PyInterpreterState
  runtime,        // _PyRuntime
  static_storage, // writable segments of an image
  stack,          // a thread's C stack, not below its stack pointer
  thread_register,
  memory, // any other word: a field of an untracked object, a block of C
};
/// "frame", "interpreter", "runtime", "static", "stack", "register", "memory".
std::string_view root_kind_name(RootKind kind);

/// Likely, no more: a word may be stale, or equal by chance. But for local variables.
struct Root {
  RootKind kind = RootKind::memory;
  Address at = 0; // of the word; 0: a register
  /// "'job' of worker() (explore.py:52)", "worker() in explore.py" of what is no local variable (a
  /// temporary, or stale), "symbol+0x8"; may be empty.
  std::string name;
  bool proven = false; // a local variable of a running function
};

class RootNames {
public:
  RootNames(const image::ProcessImage& image, cpython::ObjectReader& reader,
            const std::vector<machine::Thread>& threads);

  /// Nothing for what cannot hold a reference any more: a word below the stack pointer.
  std::optional<Root> root(Address at);

private:
  /// The frame that a word lies in: behind its begin, where its code and its globals are.
  std::string frame_name(Address at);
  std::string function_name(Address code);
  bool has_type(Address object, std::string_view name);
  bool has_dict(Address at);

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const std::vector<machine::Thread>& threads_;
  Ownership ownership_;
  SlotNames slot_names_;
  std::unordered_map<Address, cpython::FrameReference> locals_; // by the word's address
};

} // namespace pygc::analysis
