// Finds the loop of subtract_refs in an image's code, inlined or not, with symbols or without:
//   for (gc = GC_NEXT(containers); gc != containers; gc = GC_NEXT(gc)) {
//     PyObject* op = FROM_GC(gc);
//     Py_TYPE(op)->tp_traverse(op, visit_decref, op);
//   }
// and that of builds without a GIL, whose update_refs() the heaps call for each block:
//   Py_TYPE(op)->tp_traverse(op, visit_decref, NULL);
#pragma once

#include "common/cpython/runtime.h"
#include "common/image/module.h"

#include <vector>

namespace pygc::cpython {

/// One copy of the loop; the compiler makes several when it inlines the function.
struct SubtractLoop {
  Address call = 0;           // the instruction that calls tp_traverse
  Address return_address = 0; // the one behind it
  Address visitor = 0;        // visit_decref
  Address exit = 0;           // where it goes on when no container is left; 0: not recognized
};

/// In the order of addresses. Where the runtime knows visit_decref, calls that pass it; else calls
/// that pass the object twice and a function which tests COLLECTING and subtracts one from gc_refs.
/// Free-threaded: those that pass the function called visit_decref, if it has a name. Empty when
/// there is none.
std::vector<SubtractLoop> find_subtract_loops(const image::AddressSpace& memory,
                                              const Runtime& runtime);

/// Whether the image has copies of visit_decref inlined into traverse functions: each follows a
/// comparison of the visitor with its address.
bool has_inlined_visitor(const image::AddressSpace& memory, const Runtime& runtime,
                         Address visitor);

/// Whether visit_decref of a build without a GIL stores a 0 where there is no gc_refs yet, before
/// it stores what it subtracts; else both are one store.
bool stores_zero(const image::AddressSpace& memory, Address visitor);

/// Whether a pc of subtract_refs' own can lie in that loop.
bool is_near(const SubtractLoop& loop, Address pc);

} // namespace pygc::cpython
