// A module that can have several instances, each of which visits a static variable's reference.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* module_static_cache;

static int module_static_traverse(PyObject* module, visitproc visit, void* arg) {
  (void)module;
  Py_VISIT(module_static_cache);
  return 0;
}

static PyObject* module_static_slot(PyObject* module, PyObject* instance) {
  (void)module;
  (void)instance;
  return PyLong_FromVoidPtr(&module_static_cache);
}

static PyMethodDef module_static_methods[] = {
    {"slot", module_static_slot, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_static_exec(PyObject* module) {
  (void)module;
  if (module_static_cache == NULL) {
    module_static_cache = PyList_New(0);
  }
  return module_static_cache == NULL ? -1 : 0;
}

static PyModuleDef_Slot module_static_slots[] = {
    {Py_mod_exec, (void*)module_static_exec},
    {0, NULL},
};

static PyModuleDef module_static_definition = {
    PyModuleDef_HEAD_INIT, "module_static",        NULL, 0,    module_static_methods,
    module_static_slots,   module_static_traverse, NULL, NULL,
};

PyMODINIT_FUNC PyInit_module_static(void) {
  return PyModuleDef_Init(&module_static_definition);
}
