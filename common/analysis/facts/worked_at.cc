#include "common/analysis/facts/worked_at.h"

namespace pygc::analysis {

WorkedAt::WorkedAt(const CheckInput& input)
    : gc_head_size_(input.reader.runtime().layout.gc_head_size) {
  for (const target::Thread& thread : input.threads) {
    registers_.insert(thread.registers.begin(), thread.registers.end());
  }
}

bool WorkedAt::contains(Address object) const {
  return registers_.contains(object) || registers_.contains(object - gc_head_size_);
}

} // namespace pygc::analysis
