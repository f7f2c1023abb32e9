// Traverse functions that are right, though not in the usual way.
#include "case.h"

typedef struct {
  void* other;
  PyObject* object;
} Inner;

typedef struct {
  void* others[3];
  Inner* inner;
} Outer;

// The reference lies behind two allocated structures.

static int two_structs_construct(Container* self) {
  Outer* outer = calloc(1, sizeof(Outer));
  Inner* inner = calloc(1, sizeof(Inner));
  if (outer == NULL || inner == NULL) {
    return -1;
  }
  inner->object = PyList_New(0);
  outer->inner = inner;
  self->state = outer;
  return inner->object == NULL ? -1 : 0;
}

static PyObject** two_structs_slot(Container* self) {
  return &((Outer*)self->state)->inner->object;
}

static int two_structs_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((Outer*)((Container*)op)->state)->inner->object);
  return 0;
}

// What is visited is a static variable's, but each instance has counted a reference of its own.

static PyObject* counted_cache;

static int counted_construct(Container* self) {
  if (counted_cache == NULL) {
    counted_cache = PyList_New(0);
  }
  Py_XINCREF(counted_cache);
  self->field = counted_cache;
  return counted_cache == NULL ? -1 : 0;
}

static int counted_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// A copy of the field, which owns no reference, for the functions of a struct; somebody else owns
// one.

static PyObject* copies_kept;

static int copies_construct(Container* self) {
  self->field = PyList_New(0);
  self->state = self->field;
  copies_kept = self->field;
  Py_XINCREF(copies_kept);
  return self->field == NULL ? -1 : 0;
}

static int copies_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static const Case cases[] = {
    {"right.two_structs", two_structs_traverse, two_structs_construct, two_structs_slot},
    {"right.counted", counted_traverse, counted_construct, NULL},
    {"right.copies", copies_traverse, copies_construct, NULL},
    {NULL, NULL, NULL, NULL},
};

EXTENSION(right)
