// The function to which a visit is put down.
#pragma once

#include "common/cpython/objects/object_reader.h"
#include "common/image/module.h"

namespace pygc::analysis {

/// That of the container's type. For what a module visits apart from its dictionary, m_traverse.
Address traverse_function(cpython::ObjectReader& reader, Address container, Address visited);

/// For a container whose type was made by a class statement: the tp_traverse of the base that an
/// extension defines, which subtype_traverse (Objects/typeobject.c) calls. 0: there is none.
Address extension_traverse(cpython::ObjectReader& reader, const image::ProcessImage& image,
                           Address container);

} // namespace pygc::analysis
