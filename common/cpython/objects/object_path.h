// Objects by the names that Python code gives them: `sys.stderr`, `app.CACHE['key'][0].user`.
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <string_view>

namespace pygc::cpython {

/// Whether the text is a name, followed by attributes and by subscripts that are str or int.
bool is_object_path(std::string_view text);

/// The object that the path leads to, looked up in memory alone: no property, no __getattr__ and no
/// __getitem__ is run. It begins with a module of sys.modules ("xml.etree" counts as one name where
/// it is one), else with a global variable of __main__, else with a built-in. An attribute is the
/// object's own (attributes.h), else one of its class and what that derives from, `__dict__` or
/// `__class__`; a subscript is an item of a dict, list or tuple. Errors: usage (no path), not_found
/// (which part leads nowhere; its address is 0 when that is the first one), memory_*.
Result<Address> object_at_path(ObjectReader& reader, std::string_view path);

} // namespace pygc::cpython
