// A class of nanobind with a traverse function for the reference that its C++ object holds.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace {

struct Container {
  nb::object other;
};

int container_traverse(PyObject* self, visitproc visit, void* arg) {
#if PY_VERSION_HEX >= 0x03090000
  Py_VISIT(Py_TYPE(self));
#endif
  if (nb::inst_ready(self)) {
    Py_VISIT(nb::inst_ptr<Container>(self)->other.ptr());
  }
  return 0;
}

PyType_Slot container_slots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(container_traverse)},
    {0, nullptr},
};

} // namespace

NB_MODULE(nanobind_class, module) {
  nb::class_<Container>(module, "Container", nb::type_slots(container_slots))
      .def(nb::init<>())
      .def_rw("other", &Container::other, nb::arg("value").none());
}
