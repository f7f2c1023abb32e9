// What frames have left behind that have ended. (running_frames.cc, which knows the fields of
// frames, defines it.)
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace pygc::cpython {

/// Which frames the threads run, so that what ended ones have left behind can be told from them.
class RunningFrames {
public:
  /// Of all interpreters. Where the layout does not know frames, or a thread's cannot be read,
  /// nothing counts as left behind.
  explicit RunningFrames(ObjectReader& reader);

  /// `code_at`: the word by which a frame refers to its code; `at`: a word behind it, which no
  /// other frame is nearer to. Whether that is no reference any more: the frame is a thread's and
  /// runs no longer, or it ends before the word.
  bool is_left_behind(Address code_at, Address at) const;

  /// A field of a frame in front of its variables.
  struct Field {
    std::string_view name; // "f_locals"
    Address code = 0;      // that the frame runs
    bool owned = false;    // the frame has a reference to what the field holds
  };
  /// Which field of a frame that runs this word is; nothing for another word.
  std::optional<Field> field(Address at) const;

private:
  /// The nearest one whose first `limit` bytes the word is in.
  std::optional<Address> frame_before(Address at, std::uint64_t limit) const;

  ObjectReader& reader_;
  bool complete_ = false;
  std::unordered_set<Address> running_; // to 3.10 without those that are tracked
};

} // namespace pygc::cpython
