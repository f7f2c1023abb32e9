// Members of the C structs that objects and states of modules are, from debug information.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/image/debug_knowledge.h"
#include "common/image/module.h"

#include <cstdint>
#include <optional>

namespace pygc::cpython {

/// The pointer at an offset of an object, as its type's C struct declares it: the struct of the
/// base that has added the offset, which has its tp_basicsize and begins with a PyObject. It is
/// looked for through the functions of that type (PyTypeObject, Include/cpython/object.h). Nothing
/// without debug information, for classes of Python code, and where it is not proven.
std::optional<image::StructMember> struct_member(ObjectReader& reader,
                                                 const image::ProcessImage& image, Address object,
                                                 std::uint64_t offset);

/// The same of the state of a module, through m_traverse of its PyModuleDef
/// (Include/moduleobject.h): a struct of m_size bytes.
std::optional<image::StructMember> state_member(ObjectReader& reader,
                                                const image::ProcessImage& image,
                                                const ModuleInfo& module, std::uint64_t offset);

} // namespace pygc::cpython
