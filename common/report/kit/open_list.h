// A document whose last field is a list that is too long to be made whole: an element a line.
#pragma once

#include "common/report/kit/json.h"

#include <string>
#include <string_view>

namespace pygc::report {

/// The document up to where the list begins.
std::string open_list(const Json& document, std::string_view field);
/// What goes before an element: a new line, with a comma behind the one before.
std::string_view list_separator(bool first);
/// The end of the list and of the document.
std::string_view close_list(bool empty);

} // namespace pygc::report
