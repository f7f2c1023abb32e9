/* Holds references where no container sees them: a static variable, a block of the C library's, a
 * frame of C. Each of them is counted. */
#include <Python.h>
#include <stdlib.h>

struct connection {
  char name[24];
  PyObject* handler;
};

static PyObject* in_static;
static struct connection* in_block;

static PyObject* hold_static(PyObject* self, PyObject* object) {
  (void)self;
  Py_INCREF(object);
  Py_XSETREF(in_static, object);
  Py_RETURN_NONE;
}

static PyObject* hold_block(PyObject* self, PyObject* object) {
  (void)self;
  if (in_block == NULL && (in_block = calloc(1, sizeof *in_block)) == NULL) {
    return PyErr_NoMemory();
  }
  Py_INCREF(object);
  Py_XSETREF(in_block->handler, object);
  Py_RETURN_NONE;
}

/* Calls the function while a variable of C alone holds an object that it made. */
static PyObject* hold_on_stack(PyObject* self, PyObject* args) {
  PyObject* make;
  PyObject* function;
  (void)self;
  if (!PyArg_ParseTuple(args, "OO", &make, &function)) {
    return NULL;
  }
  PyObject* volatile object = PyObject_CallFunctionObjArgs(make, NULL);
  if (object == NULL) {
    return NULL;
  }
  PyObject* result = PyObject_CallFunctionObjArgs(function, NULL);
  Py_DECREF(object);
  return result;
}

static PyMethodDef methods[] = {{"hold_static", hold_static, METH_O, NULL},
                                {"hold_block", hold_block, METH_O, NULL},
                                {"hold_on_stack", hold_on_stack, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "holders", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_holders(void) {
  return PyModule_Create(&definition);
}
