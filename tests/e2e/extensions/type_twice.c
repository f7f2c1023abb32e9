/* A base class that visits the type of its instances, whatever Python and whatever subclass: up
 * to 3.8 the type is not counted by instances of static types, and subtype_traverse visits it for
 * its own. */
#include <Python.h>

typedef struct {
  PyObject base;
  PyObject* item;
} Base;

static int base_traverse(PyObject* op, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(op));
  Py_VISIT(((Base*)op)->item);
  return 0;
}

static void base_dealloc(PyObject* op) {
  PyTypeObject* type = Py_TYPE(op);
  PyObject_GC_UnTrack(op);
  Py_XDECREF(((Base*)op)->item);
  type->tp_free(op);
  Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_traverse, (void*)base_traverse}, {Py_tp_dealloc, (void*)base_dealloc}, {0, NULL}};

static PyType_Spec spec = {"type_twice.Base", sizeof(Base), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, slots};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "type_twice", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_type_twice(void) {
  PyObject* module = PyModule_Create(&definition);
  PyObject* type = PyType_FromSpec(&spec);
  if (module == NULL || type == NULL) {
    return NULL;
  }
  PyModule_AddObject(module, "Base", type);
  return module;
}
