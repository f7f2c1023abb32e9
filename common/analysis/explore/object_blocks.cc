#include "common/analysis/explore/object_blocks.h"

#include <algorithm>

namespace pygc::analysis {

using cpython::BlockBasis;

BlockSum& BlockSum::operator+=(const BlockSum& other) {
  objects += other.objects;
  own += other.own;
  total += other.total;
  basis = std::max(basis, other.basis);
  return *this;
}

BlockSurvey::BlockSurvey(const cpython::ObjectReader& reader, cpython::ObjectSizes& sizes)
    : sizes_(sizes), blocks_(reader.memory(), reader.runtime().layout) {}

ObjectBlocks BlockSurvey::of(Address object, Address type) {
  const cpython::MemoryParts parts = sizes_.parts(object, type);
  ObjectBlocks found{.own = blocks_.block_at(parts.own.start), .sum = {}};
  found.sum.basis = parts.complete ? BlockBasis::proven : BlockBasis::lower_bound;
  if (!found.own) {
    found.sum.basis = BlockBasis::lower_bound;
    return found;
  }
  found.sum.objects = 1;
  found.sum.own = found.own->size;
  found.sum.total = found.own->size;
  found.sum.basis = std::max(found.sum.basis, found.own->basis);
  found.fits = parts.own.bytes <= found.own->room;
  if (parts.body) {
    const auto body = parts.body->inner ? blocks_.block_around(parts.body->start)
                                        : blocks_.block_at(parts.body->start);
    found.sum.total += body ? body->size : 0;
    found.sum.basis = std::max(found.sum.basis, body ? body->basis : BlockBasis::lower_bound);
    found.fits = found.fits && (!body || parts.body->bytes <= body->room);
  }
  return found;
}

} // namespace pygc::analysis
