/* tp_dealloc gives the memory of a container back that the collector's list still leads to. */
#include <Python.h>

typedef struct {
  PyObject_HEAD PyObject* item;
  long padding[4];
} Node;

static int node_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(((Node*)object)->item);
  return 0;
}

static void node_dealloc(PyObject* object) {
  Py_XDECREF(((Node*)object)->item);
  PyObject_Free((char*)object - 16); /* wrong: not untracked */
}

static PyObject* node_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* item;
  (void)kwargs;
  if (!PyArg_ParseTuple(args, "O", &item))
    return NULL;
  Node* node = (Node*)type->tp_alloc(type, 0);
  if (node == NULL)
    return NULL;
  Py_INCREF(item);
  node->item = item;
  return (PyObject*)node;
}

static PyTypeObject NodeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "freed_tracked.Node",
    .tp_basicsize = sizeof(Node),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = node_traverse,
    .tp_dealloc = node_dealloc,
    .tp_new = node_new,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "freed_tracked", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_freed_tracked(void) {
  if (PyType_Ready(&NodeType) < 0)
    return NULL;
  PyObject* module = PyModule_Create(&definition);
  if (module == NULL)
    return NULL;
  Py_INCREF(&NodeType);
  PyModule_AddObject(module, "Node", (PyObject*)&NodeType);
  return module;
}
