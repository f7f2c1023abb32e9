// A module with global state (m_size -1), whose traverse function takes a state of its own for
// granted.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct {
  void* other;
  PyObject* object;
} State;

static int module_null_state_traverse(PyObject* module, visitproc visit, void* arg) {
  State* state = PyModule_GetState(module);
  Py_VISIT(state->object);
  return 0;
}

static PyModuleDef module_null_state_definition = {
    PyModuleDef_HEAD_INIT,
    "module_null_state",
    NULL,
    -1,
    NULL,
    NULL,
    module_null_state_traverse,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit_module_null_state(void) {
  return PyModule_Create(&module_null_state_definition);
}
