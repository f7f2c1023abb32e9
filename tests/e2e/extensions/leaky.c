/* What extensions do wrong without being noticed: a reference that is lost, and a type without GC
 * support that holds a container. */
#include <Python.h>

static PyObject* lose(PyObject* self, PyObject* object) {
  (void)self;
  Py_INCREF(object); /* nobody has this reference */
  Py_RETURN_NONE;
}

typedef struct {
  PyObject_HEAD PyObject* owner;
} Lazy;

static void lazy_dealloc(PyObject* object) {
  Py_XDECREF(((Lazy*)object)->owner);
  PyObject_Free(object);
}

static PyObject* lazy_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* owner;
  (void)kwargs;
  if (!PyArg_ParseTuple(args, "O", &owner))
    return NULL;
  Lazy* lazy = PyObject_New(Lazy, type);
  if (lazy == NULL)
    return NULL;
  Py_INCREF(owner);
  lazy->owner = owner;
  return (PyObject*)lazy;
}

static PyTypeObject LazyType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "leaky.Lazy",
    .tp_basicsize = sizeof(Lazy),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = lazy_dealloc,
    .tp_new = lazy_new,
};

static PyMethodDef methods[] = {{"lose", lose, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "leaky", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_leaky(void) {
  if (PyType_Ready(&LazyType) < 0)
    return NULL;
  PyObject* module = PyModule_Create(&definition);
  if (module == NULL)
    return NULL;
  Py_INCREF(&LazyType);
  PyModule_AddObject(module, "Lazy", (PyObject*)&LazyType);
  return module;
}
