/* Holds an object in a variable while other code runs, without owning a reference to it. */
#include <Python.h>

/* hold(make, during): what make() returns is used after during(), but released before. */
static PyObject* hold(PyObject* self, PyObject* args) {
  PyObject* make = NULL;
  PyObject* during = NULL;
  (void)self;
  if (!PyArg_ParseTuple(args, "OO", &make, &during)) {
    return NULL;
  }
  PyObject* session = PyObject_CallObject(make, NULL);
  if (session == NULL) {
    return NULL;
  }
  Py_DECREF(session);
  PyObject* result = PyObject_CallObject(during, NULL);
  Py_XDECREF(result);
  return PyObject_Repr(session);
}

/* borrow(dict, key, during): an item that the dict owns is used. */
static PyObject* borrow(PyObject* self, PyObject* args) {
  PyObject* dict = NULL;
  PyObject* key = NULL;
  PyObject* during = NULL;
  (void)self;
  if (!PyArg_ParseTuple(args, "OOO", &dict, &key, &during)) {
    return NULL;
  }
  PyObject* session = PyDict_GetItem(dict, key);
  PyObject* result = PyObject_CallObject(during, NULL);
  Py_XDECREF(result);
  return session == NULL ? NULL : PyObject_Repr(session);
}

static PyMethodDef methods[] = {{"hold", hold, METH_VARARGS, NULL},
                                {"borrow", borrow, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "undercount_code", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_undercount_code(void) {
  return PyModule_Create(&definition);
}
