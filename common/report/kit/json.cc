#include "common/report/kit/json.h"

#include "common/report/kit/printable.h"

namespace pygc::report {
namespace {

std::string dump(const Json& json, int indent) {
  return printable_json(json.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n";
}

} // namespace

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json address_or_null(Address address) {
  return address == 0 ? Json(nullptr) : Json(hex(address));
}

std::string document_text(const Json& document) {
  return dump(document, 2);
}

std::string record_text(const Json& record) {
  return dump(record, -1);
}

} // namespace pygc::report
