/* A traverse function that calls through a pointer which was never set. */
#include <Python.h>

typedef struct {
  PyObject base;
  void* state;
  int (*walk)(void*, visitproc, void*);
} Capsule;

static int capsule_traverse(PyObject* op, visitproc visit, void* arg) {
  Capsule* capsule = (Capsule*)op;
  return capsule->walk(capsule->state, visit, arg);
}

static void capsule_dealloc(PyObject* op) {
  PyObject_GC_UnTrack(op);
  PyObject_GC_Del(op);
}

static PyObject* capsule_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  (void)args;
  (void)kwargs;
  return type->tp_alloc(type, 0);
}

static PyTypeObject capsule_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "null_callback.Capsule",
    .tp_basicsize = sizeof(Capsule),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = capsule_traverse,
    .tp_dealloc = capsule_dealloc,
    .tp_new = capsule_new,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "null_callback", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_null_callback(void) {
  if (PyType_Ready(&capsule_type) < 0) {
    return NULL;
  }
  PyObject* module = PyModule_Create(&definition);
  if (module != NULL) {
    Py_INCREF(&capsule_type);
    PyModule_AddObject(module, "Capsule", (PyObject*)&capsule_type);
  }
  return module;
}
