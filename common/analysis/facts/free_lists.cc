#include "common/analysis/facts/free_lists.h"

namespace pygc::analysis {

std::vector<FreeListFact> find_broken_free_lists(const CheckInput& input) {
  std::vector<FreeListFact> found;
  const cpython::Runtime& runtime = input.reader.runtime();
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    for (const cpython::BrokenFreeList& list :
         cpython::broken_free_lists(input.reader.memory(), runtime, interpreter)) {
      found.push_back({.interpreter = interpreter.id, .list = list});
    }
  }
  return found;
}

} // namespace pygc::analysis
