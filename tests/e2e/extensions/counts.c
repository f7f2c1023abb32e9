// Reference counts of a build without a GIL that the interpreter would never leave so, and traverse
// functions that lock an object or take a reference for a while.
#include "case.h"

// What PyMutex_Lock and PyMutex_Unlock do where nobody else has the mutex.
static int locks_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  uint8_t unlocked = 0;
  uint8_t locked = 1;
  if (!_Py_atomic_compare_exchange_uint8(&op->ob_mutex._bits, &unlocked, 1)) {
    return 0;
  }
  Py_VISIT(((Container*)op)->field);
  _Py_atomic_compare_exchange_uint8(&op->ob_mutex._bits, &locked, 0);
  return 0;
}

// Needs the PyThreadState of the thread that runs it.
static int critical_traverse(PyObject* op, visitproc visit, void* arg) {
  int result = 0;
  VISIT_TYPE(op);
  Py_BEGIN_CRITICAL_SECTION(op);
  PyObject* field = ((Container*)op)->field;
  result = field != NULL ? visit(field, arg) : 0;
  Py_END_CRITICAL_SECTION();
  return result;
}

// What Py_INCREF and Py_DECREF do for an owner in a release build; a debug build counts references
// in all as well.
static int borrows_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  volatile uint32_t* local = &((Container*)op)->field->ob_ref_local;
  ++*local;
  Py_VISIT(((Container*)op)->field);
  --*local;
  return 0;
}

// damage(list, index, what): nothing takes a reference to the item meanwhile.
static PyObject* damage(PyObject* module, PyObject* args) {
  (void)module;
  PyObject* list = NULL;
  Py_ssize_t index = 0;
  const char* what = NULL;
  if (!PyArg_ParseTuple(args, "O!ns", &PyList_Type, &list, &index, &what)) {
    return NULL;
  }
  PyObject* object = PyList_GET_ITEM(list, index);
  if (strcmp(what, "unmerged") == 0) {
    object->ob_ref_local += 1;                                // the queue's
    object->ob_ref_shared = (object->ob_ref_shared & ~3) | 2; // _Py_REF_QUEUED
  } else if (strcmp(what, "owned") == 0) {
    object->ob_ref_shared = ((Py_ssize_t)object->ob_ref_local << 2) | 3; // _Py_REF_MERGED
    object->ob_ref_local = 0;
  } else if (strcmp(what, "unowned") == 0) {
    object->ob_tid = 0;
  } else if (strcmp(what, "odd_owner") == 0) {
    object->ob_tid |= 1;
  } else if (strcmp(what, "negative_shared") == 0) {
    object->ob_ref_local += 3;
    object->ob_ref_shared -= 2 << 2;
  } else if (strcmp(what, "negative") == 0) {
    object->ob_ref_shared = (-1000 * 4) | 2;
  } else if (strcmp(what, "not_deferred") == 0) {
    object->ob_ref_local += 1;
    object->ob_gc_bits |= 64; // _PyGC_BITS_DEFERRED
  } else if (strcmp(what, "marked") == 0) {
    object->ob_gc_bits |= 4; // _PyGC_BITS_UNREACHABLE
  } else {
    PyErr_SetString(PyExc_ValueError, what);
    return NULL;
  }
  Py_RETURN_NONE;
}

static const Case cases[] = {
    {"counts.locks", locks_traverse, NULL, NULL},
    {"counts.critical", critical_traverse, NULL, NULL},
    {"counts.borrows", borrows_traverse, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"damage", damage, METH_VARARGS, NULL},
    {"slot", extension_slot, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "counts", NULL, 0, methods, extension_slots, NULL, NULL, NULL,
};
PyMODINIT_FUNC PyInit_counts(void) {
  return PyModuleDef_Init(&definition);
}
