// What the allocator gave for objects, against what their types say that they need.
#pragma once

#include "common/cpython/objects/memory_blocks.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/object_size.h"

#include <cstdint>
#include <optional>

namespace pygc::analysis {

/// Bytes of the blocks in which objects lie.
struct BlockSum {
  std::uint64_t objects = 0; // whose own block is known
  std::uint64_t own = 0;     // of these blocks, without what the objects have allocated elsewhere
  std::uint64_t total = 0;   // with it, as far as it is known
  cpython::BlockBasis basis = cpython::BlockBasis::proven; // of the total

  BlockSum& operator+=(const BlockSum& other);
};

struct ObjectBlocks {
  std::optional<cpython::MemoryBlock> own;
  BlockSum sum;
  bool fits = true; // false: what the type says of the size does not go into the block
};

class BlockSurvey {
public:
  /// Whose sizes these are must stay.
  BlockSurvey(const cpython::ObjectReader& reader, cpython::ObjectSizes& sizes);

  ObjectBlocks of(Address object, Address type);

private:
  cpython::ObjectSizes& sizes_;
  cpython::MemoryBlocks blocks_;
};

} // namespace pygc::analysis
