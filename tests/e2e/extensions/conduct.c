// Traverse functions that do what none may do.
#include "case.h"

#undef NDEBUG // the interpreter's headers may have set it
#include <assert.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct {
  void* other;
  PyObject* object;
} State;

// The state was never allocated.
static int null_state_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_VISIT(((State*)((Container*)op)->state)->object);
  return 0;
}

static volatile int loops_until;

static int loops_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  while (loops_until == 0) {
  }
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static volatile unsigned long writes_count;

static PyObject** writes_slot(Container* self) {
  (void)self;
  return (PyObject**)&writes_count;
}

static int writes_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  ++writes_count;
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// What Py_INCREF does in a release build; that of a debug build counts references in all as well.
static int increments_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
#ifdef Py_GIL_DISABLED
  ++((Container*)op)->field->ob_ref_local;
#else
  ++((Container*)op)->field->ob_refcnt;
#endif
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static int system_call_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  syscall(SYS_getppid);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// As an extension with assertions of its own.
static int asserts_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  assert(((Container*)op)->field == NULL);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

// What an assertion of a debug interpreter about an object comes to.
PyAPI_FUNC(void) _PyObject_AssertFailed(PyObject* op, const char* expression, const char* message,
                                        const char* file, int line, const char* function);

static int object_asserts_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  _PyObject_AssertFailed(((Container*)op)->field, "is_ready(op)", "used too early", "ready.c", 42,
                         __func__);
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static int gives_up_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  Py_FatalError("nothing is left to visit");
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static void* volatile allocates_last;

static PyObject** allocates_slot(Container* self) {
  (void)self;
  return (PyObject**)&allocates_last;
}

// The C library's allocator needs no GIL, which a process that waits has released.
static int allocates_traverse(PyObject* op, visitproc visit, void* arg) {
  VISIT_TYPE(op);
  allocates_last = malloc(sizeof(State));
  Py_VISIT(((Container*)op)->field);
  return 0;
}

static const Case cases[] = {
    {"conduct.null_state", null_state_traverse, NULL, NULL},
    {"conduct.loops", loops_traverse, NULL, NULL},
    {"conduct.writes", writes_traverse, NULL, writes_slot},
    {"conduct.increments", increments_traverse, NULL, NULL},
    {"conduct.system_call", system_call_traverse, NULL, NULL},
    {"conduct.asserts", asserts_traverse, NULL, NULL},
    {"conduct.object_asserts", object_asserts_traverse, NULL, NULL},
    {"conduct.gives_up", gives_up_traverse, NULL, NULL},
    {"conduct.allocates", allocates_traverse, NULL, allocates_slot},
    {NULL, NULL, NULL, NULL},
};

EXTENSION(conduct)
