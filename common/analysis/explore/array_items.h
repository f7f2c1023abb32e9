// The elements of numpy's arrays of objects, which no container visits, by their subscripts.
#pragma once

#include "common/cpython/objects/object_arrays.h"
#include "common/cpython/objects/object_reader.h"
#include "common/machine/thread.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pygc::analysis {

class ArrayItems {
public:
  /// `cancelled` as for find_words(): then no array is known.
  ArrayItems(cpython::ObjectReader& reader, const std::vector<machine::Thread>& threads,
             std::function<bool()> cancelled);

  /// "[3] of numpy.ndarray 0x7f44123f00c0"; empty where no array's element is. The first call looks
  /// for all arrays, in all of memory, where the target has imported numpy.
  std::string name(Address at);

private:
  struct Array {
    Address object = 0;
    cpython::ObjectArray items;
  };

  void find_arrays();

  cpython::ObjectReader& reader_;
  const std::vector<machine::Thread>& threads_;
  std::function<bool()> cancelled_;
  bool looked_for_ = false;
  std::map<Address, Array> arrays_; // by where the data begins
};

} // namespace pygc::analysis
