// A class of pybind11 that holds Python objects, and instances that have a dictionary.
#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace {

struct Container {
  py::list items;
  py::object other;
};

} // namespace

PYBIND11_MODULE(pybind11_class, module) {
  py::class_<Container>(module, "Container", py::dynamic_attr())
      .def(py::init<>())
      .def_readwrite("items", &Container::items)
      .def_readwrite("other", &Container::other);
}
