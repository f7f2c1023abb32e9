/* A heap type whose instances give their type back twice when they die: it dies before the others.
 */
#include <Python.h>

typedef struct {
  PyObject_HEAD PyObject* value;
} Obj;

static int obj_traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(((Obj*)object)->value);
  return 0;
}

static void obj_dealloc(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  Py_XDECREF(((Obj*)object)->value);
  PyObject_GC_Del(object);
  Py_DECREF(type);
  Py_DECREF(type); /* wrong */
}

static PyType_Slot slots[] = {
    {Py_tp_traverse, obj_traverse}, {Py_tp_dealloc, obj_dealloc}, {0, NULL}};
static PyType_Spec spec = {"type_freed.Obj", sizeof(Obj), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "type_freed", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_type_freed(void) {
  PyObject* module = PyModule_Create(&definition);
  if (module == NULL)
    return NULL;
  PyObject* type = PyType_FromSpec(&spec);
  if (type == NULL)
    return NULL;
  PyModule_AddObject(module, "Obj", type);
  return module;
}
