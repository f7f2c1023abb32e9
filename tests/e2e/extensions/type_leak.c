/* Makes a heap type with each call, whose instances do not visit it. */
#include <Python.h>

typedef struct {
  PyObject base;
  PyObject* item;
} Instance;

static int instance_traverse(PyObject* op, visitproc visit, void* arg) {
  Py_VISIT(((Instance*)op)->item);
  return 0;
}

static int instance_clear(PyObject* op) {
  Py_CLEAR(((Instance*)op)->item);
  return 0;
}

static void instance_dealloc(PyObject* op) {
  PyTypeObject* type = Py_TYPE(op);
  PyObject_GC_UnTrack(op);
  Py_XDECREF(((Instance*)op)->item);
  type->tp_free(op);
  Py_DECREF(type);
}

static PyType_Slot slots[] = {{Py_tp_traverse, (void*)instance_traverse},
                              {Py_tp_clear, (void*)instance_clear},
                              {Py_tp_dealloc, (void*)instance_dealloc},
                              {0, NULL}};

static PyType_Spec spec = {"type_leak.Instance", sizeof(Instance), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

static PyObject* make_type(PyObject* self, PyObject* args) {
  (void)self;
  (void)args;
  return PyType_FromSpec(&spec);
}

static PyMethodDef methods[] = {{"make_type", make_type, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "type_leak", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_type_leak(void) {
  return PyModule_Create(&definition);
}
