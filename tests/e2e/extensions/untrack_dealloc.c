/* A tp_dealloc that releases what its object holds before it has untracked it. */
#include <Python.h>

typedef struct {
  PyObject_HEAD PyObject* payload;
} Job;

static int job_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(((Job*)self)->payload);
  return 0;
}

static void job_dealloc(PyObject* self) {
  Py_CLEAR(((Job*)self)->payload);
  PyObject_GC_UnTrack(self); /* too late */
  Py_TYPE(self)->tp_free(self);
}

static PyTypeObject job_type = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "untrack_dealloc.Job",
                                .tp_basicsize = sizeof(Job),
                                .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                .tp_traverse = job_traverse, .tp_dealloc = job_dealloc};

static PyObject* make(PyObject* self, PyObject* payload) {
  Job* job = PyObject_GC_New(Job, &job_type);
  (void)self;
  if (job == NULL)
    return NULL;
  Py_INCREF(payload);
  job->payload = payload;
  PyObject_GC_Track((PyObject*)job);
  return (PyObject*)job;
}

static PyMethodDef methods[] = {{"make", make, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "untrack_dealloc", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_untrack_dealloc(void) {
  return PyType_Ready(&job_type) < 0 ? NULL : PyModule_Create(&definition);
}
