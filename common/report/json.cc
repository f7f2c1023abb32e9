#include "common/report/json.h"

#include "common/report/printable.h"

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

Json object_json(const analysis::ObjectView& object) {
  return {{"address", hex(object.address)},
          {"type", object.type},
          {"summary", object.summary},
          {"refcount", object.refcount}};
}

Json object_json(const std::optional<analysis::ObjectView>& object) {
  return object ? object_json(*object) : Json(nullptr);
}

Json visitor_json(const analysis::Visitor& visitor) {
  Json json = {{"container", hex(visitor.container)},
               {"type", visitor.type},
               {"name", visitor.name},
               {"summary", visitor.summary},
               {"function", visitor.function},
               {"visits", visitor.visits}};
  if (visitor.slot) {
    json["slot"] = hex(*visitor.slot);
    json["slot_name"] = visitor.slot_name;
    json["owner"] = analysis::owner_name(visitor.owner);
  }
  return json;
}

std::string document_text(const Json& document) {
  return dump(document, 2);
}

std::string record_text(const Json& record) {
  return dump(record, -1);
}

} // namespace pygc::report
