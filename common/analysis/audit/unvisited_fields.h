// Fields of containers that hold counted references and are not visited.
#pragma once

#include "common/analysis/facts/input.h"
#include "common/analysis/facts/slot_survey.h"
#include "common/heap/collected_set.h"

#include <cstdint>
#include <vector>

namespace pygc::analysis {

struct UnvisitedField {
  Address type = 0;
  std::uint64_t offset = 0;    // in the instances
  Address container = 0;       // one instance
  Address object = 0;          // what its field refers to
  std::uint64_t instances = 0; // traced instances in which the field holds a collected object
  /// The words in all memory and registers that hold the object's address are no more than its
  /// reference count: each of them is a reference, unless one was leaked or is kept where no word
  /// has the address.
  bool words_fit = false;
};

/// Looks at each word of the traced containers' own memory that is the address of a collected
/// object and that no visit came from. That such a field is counted follows from arithmetic: an
/// object has as many references as visits and gc_refs. A field is borrowed, and left out, when
/// more instances refer to one object by it than that object's gc_refs is. Nothing proves that it
/// is counted. Left out are places that are known to be borrowed (borrowed_places.h), copies of
/// what the container visits elsewhere, numbers (what is no object in another instance), weak
/// references to the container, and fields that refer to a container of weak references only: those
/// make no cycles (tp_subclasses). Errors: cancelled, replayer.
Result<std::vector<UnvisitedField>> find_unvisited_fields(const CheckInput& input,
                                                          const heap::CollectedSet& set,
                                                          const replay::RoundResult& result,
                                                          const SlotSurvey& survey,
                                                          Ownership& ownership);

} // namespace pygc::analysis
