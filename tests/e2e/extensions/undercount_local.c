/* Releases the reference of its argument, which it only borrows. */
#include <Python.h>

static PyObject* use(PyObject* self, PyObject* object) {
  (void)self;
  Py_DECREF(object);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"use", use, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "undercount_local", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_undercount_local(void) {
  return PyModule_Create(&definition);
}
