// The one way to write JSON: addresses, objects, visitors, documents.
#pragma once

#include "common/analysis/finding.h"
#include "common/report/text.h"

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

/// `{"address", "type", "summary", "refcount"}`.
Json object_json(const analysis::ObjectView& object);
Json object_json(const std::optional<analysis::ObjectView>& object);
/// `{"container", "type", "name", "summary", "function", "visits"}`, and the slot where it is
/// known.
Json visitor_json(const analysis::Visitor& visitor);

/// A document for a file or a terminal: indented, with a newline at its end. Bytes that are no
/// UTF-8 become U+FFFD, and no control character is left unescaped.
std::string document_text(const Json& document);
/// The same as one line, of JSON Lines.
std::string record_text(const Json& record);

} // namespace pygc::report
