// The function to which a visit is put down.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/image/module.h"

#include <functional>

namespace pygc::analysis {

/// That of the container's type. For what a module visits apart from its dictionary, m_traverse.
Address traverse_function(cpython::ObjectReader& reader, Address container, Address visited);

/// Of a slot of types that holds a function: the first other function than the type's own in its
/// bases, which is what subtype_traverse and subtype_clear (Objects/typeobject.c) call, when an
/// extension defines it; else 0.
Address extension_of_bases(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address type, const std::function<Address(Address type)>& slot);

/// For a container whose type was made by a class statement: the tp_traverse of the base that an
/// extension defines, which subtype_traverse (Objects/typeobject.c) calls. 0: there is none.
Address extension_traverse(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address container);

} // namespace pygc::analysis
