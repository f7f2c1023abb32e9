/* Nodes that refer to each other. tp_traverse visits both fields; that of Forgetful forgets one in
   tp_clear. */
#include <Python.h>

typedef struct {
  PyObject base;
  PyObject* callback;
  PyObject* peer;
} Node;

static int node_traverse(PyObject* op, visitproc visit, void* arg) {
  Py_VISIT(((Node*)op)->callback);
  Py_VISIT(((Node*)op)->peer);
  return 0;
}

static int dutiful_clear(PyObject* op) {
  Py_CLEAR(((Node*)op)->callback);
  Py_CLEAR(((Node*)op)->peer);
  return 0;
}

static int forgetful_clear(PyObject* op) {
  Py_CLEAR(((Node*)op)->callback);
  return 0;
}

static void node_dealloc(PyObject* op) {
  PyObject_GC_UnTrack(op);
  Py_XDECREF(((Node*)op)->callback);
  Py_XDECREF(((Node*)op)->peer);
  Py_TYPE(op)->tp_free(op);
}

static PyObject* node_link(PyObject* op, PyObject* peer) {
  Py_INCREF(peer);
  Py_XSETREF(((Node*)op)->peer, peer);
  Py_RETURN_NONE;
}

static PyMethodDef node_methods[] = {{"link", node_link, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static PyTypeObject dutiful_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "forgetful.Dutiful",
    .tp_basicsize = sizeof(Node),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_traverse = node_traverse,
    .tp_clear = dutiful_clear,
    .tp_dealloc = node_dealloc,
    .tp_methods = node_methods,
    .tp_new = PyType_GenericNew,
};

static PyTypeObject forgetful_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "forgetful.Forgetful",
    .tp_basicsize = sizeof(Node),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_traverse = node_traverse,
    .tp_clear = forgetful_clear,
    .tp_dealloc = node_dealloc,
    .tp_methods = node_methods,
    .tp_new = PyType_GenericNew,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "forgetful", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_forgetful(void) {
  PyObject* module = PyModule_Create(&definition);
  if (module == NULL || PyType_Ready(&dutiful_type) < 0 || PyType_Ready(&forgetful_type) < 0) {
    return NULL;
  }
  Py_INCREF(&dutiful_type);
  Py_INCREF(&forgetful_type);
  PyModule_AddObject(module, "Dutiful", (PyObject*)&dutiful_type);
  PyModule_AddObject(module, "Forgetful", (PyObject*)&forgetful_type);
  return module;
}
