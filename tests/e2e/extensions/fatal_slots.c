/* Slots of a type that end the process, with names that say nothing of them. */
#include <Python.h>

#include <stdlib.h>

typedef struct {
  PyObject_HEAD PyObject* payload;
  int fatal; /* 1: when freed, 2: when cleared */
} Box;

static int look_around(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(((Box*)self)->payload);
  return 0;
}

static int let_go(PyObject* self) {
  if (((Box*)self)->fatal == 2)
    abort();
  Py_CLEAR(((Box*)self)->payload);
  return 0;
}

static void give_back(PyObject* self) {
  PyObject_GC_UnTrack(self);
  if (((Box*)self)->fatal == 1)
    abort();
  Py_CLEAR(((Box*)self)->payload);
  PyObject_GC_Del(self);
}

static PyTypeObject box_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "fatal_slots.Box",
                                .tp_basicsize = sizeof(Box),
                                .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                .tp_traverse = look_around,
                                .tp_clear = let_go,
                                .tp_dealloc = give_back};

static PyObject* make(PyObject* module, PyObject* args) {
  PyObject* payload;
  int fatal;
  (void)module;
  if (!PyArg_ParseTuple(args, "Oi", &payload, &fatal))
    return NULL;
  Box* box = PyObject_GC_New(Box, &box_type);
  if (box == NULL)
    return NULL;
  box->payload = payload == Py_None ? (PyObject*)box : payload;
  Py_INCREF(box->payload);
  box->fatal = fatal;
  PyObject_GC_Track((PyObject*)box);
  return (PyObject*)box;
}

static PyMethodDef methods[] = {{"make", make, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "fatal_slots", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_fatal_slots(void) {
  return PyType_Ready(&box_type) < 0 ? NULL : PyModule_Create(&definition);
}
