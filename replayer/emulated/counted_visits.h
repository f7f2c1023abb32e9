// Which of a traversal's visits visit_decref counts.
//
// Our visitor sees all visits, also those of borrowed stack references (3.14 and later) and of
// objects without a GC head. visit_decref may be inlined into the traverse function, so its calls
// cannot be watched: the heads of all visited GC objects are marked as being collected, the
// traversal runs again with visit_decref, and what is subtracted from each head is the number of
// its visits that count.
#pragma once

#include "replayer/emulated/steps.h"

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace pygc::replayer {

class CountedVisits {
public:
  explicit CountedVisits(const Workplace& place) : place_(place) {}

  /// The visits of one traversal; they get their `counted`.
  void start(std::span<replay::protocol::TraceRecord> visits);

  struct Question {
    std::uint64_t function = 0; // tp_is_gc
    std::uint64_t object = 0;
  };
  /// What must be asked before the GC objects are known.
  std::optional<Question> next_question();
  void answer(bool is_gc);

  /// Without visit_decref, or without tagged references: all visits of GC objects count.
  void take_gc_objects();
  /// Whether a visit may be one that visit_decref would not get: its reference had tag bits, or it
  /// is not known from where it came.
  bool needs_second_run() const;

  /// Marks the heads. False: there are none.
  bool prime();
  void take_decrements();
  void unprime();

private:
  struct Object {
    std::uint64_t address = 0;
    bool gc = false;
    std::uint64_t* head = nullptr;
    std::uint64_t saved = 0;
    std::uint64_t remaining = 0; // decrements that no visit has been found for
  };

  bool tell_without_asking(Object& object, Question& question) const;

  const Workplace& place_;
  std::span<replay::protocol::TraceRecord> visits_;
  std::vector<Object> objects_; // ascending
  std::size_t asking_ = 0;
  std::unordered_map<std::uint64_t, bool> answers_;
};

} // namespace pygc::replayer
