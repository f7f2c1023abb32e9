/* Tracks an object before its fields are set: they hold what its block held before. */
#include <Python.h>

typedef struct {
  PyObject base;
  PyObject* handler;
  PyObject* names;
} Parser;

static int parser_traverse(PyObject* op, visitproc visit, void* arg) {
  Py_VISIT(((Parser*)op)->handler);
  Py_VISIT(((Parser*)op)->names);
  return 0;
}

static void parser_dealloc(PyObject* op) {
  PyObject_GC_UnTrack(op);
  Py_XDECREF(((Parser*)op)->handler);
  Py_XDECREF(((Parser*)op)->names);
  PyObject_GC_Del(op);
}

static PyTypeObject parser_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "early_track.Parser",
    .tp_basicsize = sizeof(Parser),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = parser_traverse,
    .tp_dealloc = parser_dealloc,
};

static PyObject* make(PyObject* self, PyObject* callback) {
  (void)self;
  Parser* parser = PyObject_GC_New(Parser, &parser_type);
  if (parser == NULL) {
    return NULL;
  }
  parser->handler = (PyObject*)0xcdcdcdcdcdcdcdcd; // as a debug build fills a fresh block
  parser->names = NULL;
  PyObject_GC_Track(parser);
  parser->handler = PyObject_CallFunctionObjArgs(callback, NULL);
  return (PyObject*)parser;
}

static PyMethodDef methods[] = {{"make", make, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "early_track", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_early_track(void) {
  return PyType_Ready(&parser_type) < 0 ? NULL : PyModule_Create(&definition);
}
