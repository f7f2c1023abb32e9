#include "common/report/layout_view.h"

#include "common/report/kit/envelope.h"

namespace pygc::report {

std::string layout_json(const Subject& subject, const std::string& table) {
  Json document = envelope("layout", subject, {});
  document["table"] = Json::parse(table, nullptr, false);
  return document_text(document);
}

} // namespace pygc::report
