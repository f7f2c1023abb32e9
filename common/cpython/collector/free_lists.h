// The free lists of an interpreter that a full collection empties: tuples, lists and dicts.
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/address_space.h"

#include <cstdint>
#include <vector>

namespace pygc::cpython {

enum class FreeListFault : std::uint8_t {
  no_pointer, // an entry leads to no memory or is not aligned
  linked,     // the GC head of a free object still leads to others: freeing it writes there
  count,      // more entries than there is room for
};

struct BrokenFreeList {
  const char* type = ""; // "tuple"
  FreeListFault fault = FreeListFault::no_pointer;
  Address place = 0; // what holds the pointer or the count
  Address value = 0; // that it holds; of `linked` the object
};

/// Whether the layout has them, by debug information or by the build's own table. Mirrors the
/// free_list and numfree of _Py_tuple_state, _Py_list_state and _Py_dict_state
/// (Include/internal/pycore_tuple.h and others, 3.10 to 3.12), and of _Py_object_freelists
/// (pycore_freelist.h, 3.13).
bool knows_free_lists(const Runtime& runtime);

/// What clear_freelists (Modules/gcmodule.c, 3.10 to 3.12), _PyGC_ClearAllFreeLists
/// (Python/gc_gil.c, 3.13) would stumble over, at most one of each list. What memory that was not
/// saved would tell is passed over.
std::vector<BrokenFreeList> broken_free_lists(const image::AddressSpace& memory,
                                              const Runtime& runtime,
                                              const Interpreter& interpreter);

} // namespace pygc::cpython
