#include "common/report/kit/open_list.h"

#include <fmt/format.h>

namespace pygc::report {

std::string open_list(const Json& document, std::string_view field) {
  std::string head = document_text(document);
  head.resize(head.rfind('\n', head.size() - 2)); // without the bracket that closes it
  return fmt::format("{},\n  \"{}\": [", head, field);
}

std::string_view list_separator(bool first) {
  return first ? "\n    " : ",\n    ";
}

std::string_view close_list(bool empty) {
  return empty ? "]\n}\n" : "\n  ]\n}\n";
}

} // namespace pygc::report
