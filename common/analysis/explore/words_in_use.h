// find_words() where what the allocator has not given out is left aside.
#pragma once

#include "common/analysis/explore/words.h"
#include "common/cpython/objects/object_reader.h"

namespace pygc::analysis {

/// As find_words(), but for cpython::unused_memory(): nothing that is there refers to anything, and
/// it may be a gigabyte that a debugger would have to bring. Errors: cancelled.
Result<Words> find_words_in_use(cpython::ObjectReader& reader,
                                const std::vector<machine::Thread>& threads,
                                std::span<const Address> candidates, std::size_t places_each,
                                const std::function<bool()>& cancelled);

} // namespace pygc::analysis
