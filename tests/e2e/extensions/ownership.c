// Traverse functions that visit what their container does not own, or not what it owns.
#include "case.h"

// A static variable owns the reference; each instance visits it.

static PyObject* visits_static_cache;

static int visits_static_construct(Container* self) {
  (void)self;
  if (visits_static_cache == NULL) {
    visits_static_cache = PyList_New(0);
  }
  return visits_static_cache == NULL ? -1 : 0;
}

static PyObject** visits_static_slot(Container* self) {
  (void)self;
  return &visits_static_cache;
}

static int visits_static_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(visits_static_cache);
  return 0;
}

// The interpreter owns the reference: where its state holds the dictionary of sys.

static PyObject** interpreter_field_slot(Container* self) {
  return self->state;
}

static int interpreter_field_construct(Container* self) {
  PyObject* sys = PyImport_AddModule("sys"); // borrowed
  if (sys == NULL) {
    return -1;
  }
  PyObject* dict = PyModule_GetDict(sys); // borrowed
  PyObject** slot = (PyObject**)PyInterpreterState_Head();
  while (*slot != dict) {
    ++slot;
  }
  self->state = slot;
  return 0;
}

static int interpreter_field_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(*(PyObject**)((Container*)op)->state);
  return 0;
}

// One reference, visited twice.

static int visits_twice_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((Container*)op)->field);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// The field is no counted reference: a list owns the object.

static PyObject* borrowed_owner;

static int borrowed_construct(Container* self) {
  borrowed_owner = PyList_New(1);
  self->field = borrowed_owner == NULL ? NULL : PyList_New(0);
  if (self->field == NULL) {
    return -1;
  }
  PyList_SET_ITEM(borrowed_owner, 0, self->field);
  return 0;
}

static int borrowed_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// All instances have one allocated state with one counted reference; each visits it.

typedef struct {
  void* other;
  PyObject* object;
} SharedState;

static SharedState* shared_slot_state;

static int shared_slot_construct(Container* self) {
  if (shared_slot_state == NULL) {
    shared_slot_state = calloc(1, sizeof(SharedState));
    if (shared_slot_state == NULL) {
      return -1;
    }
    shared_slot_state->object = PyList_New(0);
  }
  self->state = shared_slot_state;
  return shared_slot_state->object == NULL ? -1 : 0;
}

static PyObject** shared_slot_slot(Container* self) {
  return &((SharedState*)self->state)->object;
}

static int shared_slot_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((SharedState*)((Container*)op)->state)->object);
  return 0;
}

static int forgets_type_traverse(PyObject* op, visitproc visit, void* arg) {
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static int forgets_field_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  (void)op;
  (void)visit;
  (void)arg;
  return 0;
}

static const Case cases[] = {
    {"ownership.visits_static", visits_static_traverse, visits_static_construct,
     visits_static_slot},
    {"ownership.interpreter_field", interpreter_field_traverse, interpreter_field_construct,
     interpreter_field_slot},
    {"ownership.visits_twice", visits_twice_traverse, NULL, NULL},
    {"ownership.borrowed", borrowed_traverse, borrowed_construct, NULL},
    {"ownership.shared_slot", shared_slot_traverse, shared_slot_construct, shared_slot_slot},
    {"ownership.forgets_type", forgets_type_traverse, NULL, NULL},
    {"ownership.forgets_field", forgets_field_traverse, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

EXTENSION(ownership)
