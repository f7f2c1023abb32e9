// Referrers or referents of an object, level by level.
#pragma once

#include "common/analysis/explore/reference_names.h"
#include "common/analysis/explore/references.h"
#include "common/analysis/facts/explain.h"

#include <functional>
#include <string>
#include <vector>

namespace pygc::analysis {

enum class Direction : std::uint8_t { to, from };

struct ReferenceRow {
  std::uint32_t depth = 1; // steps from the object asked for
  Reference reference;
  ReferenceName name;
  ObjectView other; // of a reference to the object its container, else what it refers to
};

struct ReferenceTree {
  Direction direction = Direction::to;
  ObjectView object;
  std::vector<ReferenceRow> rows; // by depth; an object is gone into once
  std::uint64_t further = 0;      // references beyond the limit
  std::vector<std::string> notes;
  std::vector<std::string> incomplete_because;
};

struct ReferenceQuestion {
  Address object = 0;
  Direction direction = Direction::to;
  std::uint32_t depth = 1;
  /// A pattern (type_matcher.h): only references of such objects are kept (and gone into).
  std::string type = {};
  std::size_t limit = 100; // rows
};

/// `tracer` is asked for only when there are slots that it alone can name; when it cannot be had
/// the notes say so. Errors: not_found when there is no object at the address, replayer, cancelled,
/// limit.
Result<ReferenceTree> follow_references(const image::ProcessImage& image,
                                        cpython::ObjectReader& reader, const heap::Heap& heap,
                                        replay::Replayer& replayer, const TracerSource& tracer,
                                        const ReferenceQuestion& question);

/// Errors: not_found when the address cannot be that of an object.
Result<void> check_object(cpython::ObjectReader& reader, Address address);

} // namespace pygc::analysis
