// Traverse functions that are not run any more, because a few of their traversals did not end: each
// of those takes a fraction of a second, and there may be millions.
#pragma once

#include "common/replay/protocol/replayer_protocol.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pygc::replayer {

/// The first functions that do not end; further ones are run on.
class EndlessFunctions {
public:
  void timed_out(std::uint64_t function) {
    Entry* entry = find(function);
    if (entry == nullptr && count_ < entries_.size()) {
      entry = &entries_[count_++];
      *entry = {.function = function};
    }
    if (entry != nullptr) {
      ++entry->times;
      any_ = any_ || entry->times >= replay::protocol::endless_limit;
    }
  }

  bool gives_up(std::uint64_t function) {
    const Entry* entry = any_ ? find(function) : nullptr;
    return entry != nullptr && entry->times >= replay::protocol::endless_limit;
  }

  /// Whether it is the first time since start_command() that this function is asked about.
  bool tells(std::uint64_t function) {
    Entry* entry = find(function);
    const bool first = entry != nullptr && !entry->told;
    if (first) {
      entry->told = true;
    }
    return first;
  }
  void start_command() {
    for (std::size_t i = 0; i < count_; ++i) {
      entries_[i].told = false;
    }
  }

private:
  struct Entry {
    std::uint64_t function = 0;
    std::uint32_t times = 0;
    bool told = false;
  };

  Entry* find(std::uint64_t function) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries_[i].function == function) {
        return &entries_[i];
      }
    }
    return nullptr;
  }

  std::array<Entry, 64> entries_{};
  std::size_t count_ = 0;
  bool any_ = false;
};

} // namespace pygc::replayer
