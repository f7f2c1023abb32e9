// A traverse function that takes what it visits out of a vector register.
#include "case.h"

#include <immintrin.h>

enum { reference_count = 4 };

static int vector_construct(Container* self) {
  PyObject** references = aligned_alloc(32, reference_count * sizeof(PyObject*));
  if (references == NULL) {
    return -1;
  }
  for (int i = 0; i < reference_count; ++i) {
    references[i] = PyList_New(0);
  }
  self->state = references;
  return 0;
}

static PyObject** vector_slot(Container* self) {
  return self->state;
}

__attribute__((target("avx2"))) static int vector_traverse(PyObject* op, visitproc visit,
                                                           void* arg) {
  VISIT_TYPE(op);
  __m256i all = _mm256_load_si256((const __m256i*)((Container*)op)->state);
  PyObject* objects[reference_count];
  objects[0] = (PyObject*)_mm256_extract_epi64(all, 0);
  objects[1] = (PyObject*)_mm256_extract_epi64(all, 1);
  objects[2] = (PyObject*)_mm256_extract_epi64(all, 2);
  objects[3] = (PyObject*)_mm256_extract_epi64(all, 3);
  for (int i = 0; i < reference_count; ++i) {
    Py_VISIT(objects[i]);
  }
  return 0;
}

static const Case cases[] = {
    {"avx_x86_64.vector", vector_traverse, vector_construct, vector_slot},
    {NULL, NULL, NULL, NULL},
};

EXTENSION(avx_x86_64)
