// Whether the references that running functions hold are counted.
#pragma once

#include "common/cpython/objects/running_frames.h"

#include <cstdint>
#include <map>
#include <vector>

namespace pygc::analysis {

/// An object with more references from local variables than from outside of all containers: some of
/// them are not counted.
struct UndercountedObject {
  std::int64_t interpreter = 0; // id
  Address object = 0;
  std::int64_t gc_refs = 0; // 0 or more, and less than references
  std::vector<cpython::FrameReference> references;
};

/// Of one interpreter, by the object.
using FrameReferences = std::map<Address, std::vector<cpython::FrameReference>>;
FrameReferences frame_references_by_object(cpython::ObjectReader& reader,
                                           const cpython::Interpreter& interpreter);

/// `gc_refs`: by object, of those that are collected.
std::vector<UndercountedObject> find_undercounted(const FrameReferences& references,
                                                  std::int64_t interpreter,
                                                  const std::map<Address, std::int64_t>& gc_refs);

} // namespace pygc::analysis
