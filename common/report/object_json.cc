#include "common/report/object_json.h"

namespace pygc::report {

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
    json["slot"] = hex(visitor.slot->at);
    json["slot_name"] = visitor.slot_name;
    json["owner"] = analysis::owner_name(visitor.owner);
  }
  return json;
}

} // namespace pygc::report
