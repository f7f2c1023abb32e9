/* A module of several phases, whose traverse function uses the state that there is not before the
 * second one: up to 3.8 the collector comes by in between. */
#include <Python.h>

typedef struct {
  PyObject* error;
} State;

static int null_state_traverse(PyObject* module, visitproc visit, void* arg) {
  State* state = PyModule_GetState(module);
  Py_VISIT(state->error);
  return 0;
}

static int null_state_exec(PyObject* module) {
  State* state = PyModule_GetState(module);
  state->error = PyErr_NewException("null_state.Error", NULL, NULL);
  return state->error == NULL ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void*)null_state_exec}, {0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "null_state", NULL,
                                        sizeof(State),         NULL,         slots,
                                        null_state_traverse,   NULL,         NULL};

PyMODINIT_FUNC PyInit_null_state(void) {
  return PyModuleDef_Init(&definition);
}
