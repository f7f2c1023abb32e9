// What holds an object from outside of the collector's sight: words of memory, named by where they
// lie.
#pragma once

#include "common/analysis/explore/array_items.h"
#include "common/analysis/explore/words.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/slot_names.h"
#include "common/cpython/objects/frame_remains.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/running_frames.h"
#include "common/image/module.h"
#include "common/machine/thread.h"

#include <cstdint>
#include <functional>
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
  /// "'job' of worker() (explore.py:52)", ".f_locals of <module>() in explore.py", "worker() in
  /// explore.py" of what is neither (a temporary, or stale), "symbol+0x8", "[3] of numpy.ndarray
  /// 0x7f44123f00c0"; may be empty.
  std::string name;
  bool proven = false; // a local variable of a running function, or a field of its frame

  /// Memory of which nothing is known.
  bool is_plain_memory() const { return kind == RootKind::memory && name.empty(); }
};

class RootNames {
public:
  /// `cancelled` as for find_words().
  RootNames(const image::ProcessImage& image, cpython::ObjectReader& reader,
            const std::vector<machine::Thread>& threads, std::function<bool()> cancelled);

  /// Nothing for what holds no reference: a word below the stack pointer, one that a Python frame
  /// has left behind which has ended, a field of a frame that borrows (f_globals).
  std::optional<Root> root(Address at);

private:
  /// A stack that a thread has left for an alternate one, on which it handles a signal.
  struct LeftStack {
    std::uint64_t thread = 0;
    Address begin = 0; // the stack pointer that it left it with
    Address region = 0;
    Address end = 0;
  };

  /// Where a frame refers to the code that it runs, of the frame that a word lies in: globals and
  /// built-ins are beside it.
  std::optional<Address> code_before(Address at);
  void find_left_stacks(const machine::Thread& thread);
  std::string function_name(Address code);
  bool has_type(Address object, std::string_view name);
  bool has_dict(Address at);

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  const std::vector<machine::Thread>& threads_;
  Ownership ownership_;
  SlotNames slot_names_;
  std::unordered_map<Address, cpython::FrameReference> locals_; // by the word's address
  cpython::RunningFrames running_;
  std::vector<LeftStack> left_;
  ArrayItems array_items_;
};

} // namespace pygc::analysis
