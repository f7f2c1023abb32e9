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
  for (const analysis::VisitPlace& place : visitor.places) {
    json["places"].push_back({{"slot", place.slot ? Json(hex(place.slot->at)) : Json(nullptr)},
                              {"name", place.name},
                              {"owner", analysis::owner_name(place.owner)},
                              {"visits", place.visits}});
  }
  for (const auto& [key, text] :
       {std::pair{"path", &visitor.path}, std::pair{"library", &visitor.library},
        std::pair{"base_function", &visitor.base_function},
        std::pair{"base_library", &visitor.base_library}}) {
    if (!text->empty()) {
      json[key] = *text;
    }
  }
  return json;
}

Json visitors_json(const std::vector<analysis::Visitor>& visitors) {
  Json json = Json::array();
  for (const analysis::Visitor& visitor : visitors) {
    json.push_back(visitor_json(visitor));
  }
  return json;
}

} // namespace pygc::report
