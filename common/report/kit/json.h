// The one way to write JSON: addresses, documents, records.
#pragma once

#include "common/report/kit/text.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace pygc::report {

using Json = nlohmann::ordered_json;

template <class T> Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json text_or_null(const std::string& text);
/// Address 0 is none.
Json address_or_null(Address address);

/// A document for a file or a terminal: indented, with a newline at its end. Bytes that are no
/// UTF-8 become U+FFFD, and no control character is left unescaped.
std::string document_text(const Json& document);
/// The same as one line, of JSON Lines.
std::string record_text(const Json& record);

} // namespace pygc::report
