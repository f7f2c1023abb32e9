#include "common/report/root_view.h"

#include <fmt/format.h>

namespace pygc::report {

Json roots_json(const std::vector<analysis::Root>& roots) {
  Json json = Json::array();
  for (const analysis::Root& root : roots) {
    json.push_back({{"kind", root_kind_name(root.kind)},
                    {"at", address_or_null(root.at)},
                    {"name", text_or_null(root.name)},
                    {"basis", root.proven ? "proven" : "likely"}});
  }
  return json;
}

std::string root_text(const analysis::Root& root) {
  return fmt::format("{}{}{}", root_kind_name(root.kind),
                     root.at == 0 ? "" : fmt::format(" {}", hex(root.at)),
                     root.name.empty() ? "" : fmt::format(": {}", root.name));
}

} // namespace pygc::report
