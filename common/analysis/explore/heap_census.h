// What is kept of a heap so that another one can be compared with it.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/object_size.h"
#include "common/heap/heap.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pygc::analysis {

struct CensusType {
  std::string name; // with its module, as documents have it
  std::uint64_t objects = 0;
  cpython::ObjectSize size; // of all its objects
  bool asked_for = false;   // by the pattern
};

struct CensusObject {
  Address address = 0;
  std::uint32_t type = 0; // index into HeapCensus::types
};

struct HeapCensus {
  std::vector<CensusType> types;     // of two types of one name there is one
  std::vector<CensusObject> objects; // ascending
  cpython::ObjectSize size;          // of all objects
  /// Where each interpreter's state lies, and its sys.modules: where address spaces are laid out at
  /// random, a process's own.
  std::vector<Address> places;
};

/// Of the tracked objects that can be used, of all interpreters, frozen ones too. 16 bytes an
/// object. `pattern`: of types (type_matcher.h); empty: none is asked for.
HeapCensus take_census(cpython::ObjectReader& reader, const heap::Heap& heap,
                       const std::string& pattern = {});

} // namespace pygc::analysis
