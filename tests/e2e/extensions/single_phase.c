// Global state and single-phase initialisation: the module can have no second instance, and visits
// what is its own in all but the place.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* single_phase_cache;

static int single_phase_traverse(PyObject* module, visitproc visit, void* arg) {
  (void)module;
  Py_VISIT(single_phase_cache);
  return 0;
}

static PyModuleDef single_phase_definition = {
    PyModuleDef_HEAD_INIT, "single_phase", NULL, -1, NULL, NULL, single_phase_traverse, NULL, NULL,
};

PyMODINIT_FUNC PyInit_single_phase(void) {
  single_phase_cache = PyList_New(0);
  return single_phase_cache == NULL ? NULL : PyModule_Create(&single_phase_definition);
}
