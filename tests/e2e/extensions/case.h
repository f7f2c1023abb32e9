// What the test extensions have in common. A case is a container type with one traverse function
// that is right or wrong in one way; an extension is a table of cases.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

typedef struct {
  PyObject base;
  PyObject* field; // a counted reference, unless a case says otherwise
  void* state;
} Container;

typedef struct {
  const char* name; // "extension.type": the type is named after the case
  traverseproc traverse;
  int (*construct)(Container* self);   // fills an instance; NULL: a new list goes to field
  PyObject** (*slot)(Container* self); // what the traverse function visits; NULL: field
} Case;

// Each extension has its table, which ends with a case without a name.
static const Case cases[];

// Since 3.9 an instance of a heap type owns a reference to its type.
#if PY_VERSION_HEX >= 0x03090000
#define VISIT_TYPE(self) Py_VISIT(Py_TYPE(self))
#else
#define VISIT_TYPE(self) (void)(self)
#endif

static const Case* case_of(PyTypeObject* type) {
  for (const Case* it = cases; it->name != NULL; ++it) {
    if (it->traverse == type->tp_traverse) {
      return it;
    }
  }
  return NULL;
}

static int construct_list(Container* self) {
  self->field = PyList_New(0);
  return self->field == NULL ? -1 : 0;
}

static PyObject* container_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  (void)args;
  (void)kwargs;
  Container* self = (Container*)type->tp_alloc(type, 0);
  if (self == NULL) {
    return NULL;
  }
  const Case* it = case_of(type);
  if ((it->construct == NULL ? construct_list : it->construct)(self) < 0) {
    Py_DECREF(self);
    return NULL;
  }
  return (PyObject*)self;
}

// What a test makes lives until its process is killed: nothing is to be freed but the memory.
static void container_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// slot(instance): the address of what its traverse function visits
static PyObject* extension_slot(PyObject* module, PyObject* instance) {
  (void)module;
  const Case* it = case_of(Py_TYPE(instance));
  if (it == NULL) {
    PyErr_SetString(PyExc_TypeError, "not an instance of a case");
    return NULL;
  }
  Container* self = (Container*)instance;
  return PyLong_FromVoidPtr(it->slot == NULL ? (void*)&self->field : (void*)it->slot(self));
}

// An extension may have a table of its own.
__attribute__((unused)) static PyMethodDef extension_methods[] = {
    {"slot", extension_slot, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int extension_exec(PyObject* module) {
  for (const Case* it = cases; it->name != NULL; ++it) {
    PyType_Slot slots[] = {
        {Py_tp_new, (void*)container_new},
        {Py_tp_dealloc, (void*)container_dealloc},
        {Py_tp_traverse, (void*)it->traverse},
        {0, NULL},
    };
    PyType_Spec spec = {it->name, sizeof(Container), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                        slots};
    PyObject* type = PyType_FromSpec(&spec);
    if (type == NULL || PyModule_AddObject(module, strchr(it->name, '.') + 1, type) < 0) {
      Py_XDECREF(type);
      return -1;
    }
  }
  return 0;
}

static PyModuleDef_Slot extension_slots[] = {
    {Py_mod_exec, (void*)extension_exec},
    {0, NULL},
};

// The extension's only function with a name outside.
#define EXTENSION(name)                                                                            \
  static PyModuleDef name##_definition = {                                                         \
      PyModuleDef_HEAD_INIT, #name, NULL, 0, extension_methods, extension_slots, NULL, NULL, NULL, \
  };                                                                                               \
  PyMODINIT_FUNC PyInit_##name(void) {                                                             \
    return PyModuleDef_Init(&name##_definition);                                                   \
  }
