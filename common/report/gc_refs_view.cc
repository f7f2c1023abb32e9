#include "common/report/gc_refs_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/printable.h"

#include <fmt/format.h>
#include <iterator>

namespace pygc::report {

std::string gc_refs_json(const Subject& subject, const analysis::GcRefsList& list) {
  std::vector<std::string> types;
  for (const std::string& type : list.types) {
    types.push_back(record_text(type));
    types.back().pop_back(); // the newline
  }
  Json document = envelope("gc-refs", subject, list.incomplete_because);
  document["count"] = list.rows.size();
  std::string text = document_text(document);
  text.resize(text.rfind('\n', text.size() - 2)); // without the bracket that closes it
  text += ",\n  \"objects\": [";
  const char* separator = "\n";
  for (const analysis::GcRefsRow& row : list.rows) {
    fmt::format_to(std::back_inserter(text),
                   R"({}    {{"address": "{:#x}", "gc_refs": {}, "refcount": {}, "type": {}}})",
                   separator, row.object, row.gc_refs, row.refcount, types[row.type]);
    separator = ",\n";
  }
  return text + (list.rows.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

std::string gc_refs_text(const analysis::GcRefsList& list) {
  std::vector<std::string> types;
  for (const std::string& type : list.types) {
    types.push_back(printable(type));
  }
  std::string text;
  for (const analysis::GcRefsRow& row : list.rows) {
    fmt::format_to(std::back_inserter(text), "{:#x} {} {} {}\n", row.object, row.gc_refs,
                   row.refcount, types[row.type]);
  }
  return text;
}

} // namespace pygc::report
