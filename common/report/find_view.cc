#include "common/report/find_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/open_list.h"
#include "common/report/kit/printable.h"
#include "common/report/object_json.h"
#include "common/report/size_basis.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::FoundObject;
using Write = std::function<Result<void>(std::string_view)>;

std::string record(const FoundObject& found) {
  Json json = object_json(found.object);
  json["size"] = found.size.bytes;
  json["size_basis"] = size_basis_word(found.size.basis);
  json["gc_refs"] = or_null(found.gc_refs);
  return record_text(json);
}

} // namespace

Result<void> write_found_text(analysis::FoundObjects& found, Numbering& numbering,
                              const Write& write) {
  return found.each([&](const FoundObject& each) {
    return write(printable(fmt::format("{} {} {} {} {} {}", numbering.next(each.object.address),
                                       each.object.refcount,
                                       each.gc_refs ? fmt::format("{}", *each.gc_refs) : "-",
                                       each.size.bytes, each.object.type, each.object.summary)) +
                 '\n');
  });
}

Result<void> write_found_json(const Subject& subject, analysis::FoundObjects& found,
                              const Write& write) {
  Json document = envelope("find", subject, found.incomplete_because);
  document["basis"] = found.incomplete_because.empty() ? "exact" : "lower_bound";
  document["count"] = found.count();
  if (auto written = write(open_list(document, "objects")); !written) {
    return written;
  }
  bool first = true;
  const auto told = found.each([&](const FoundObject& each) {
    std::string line = record(each);
    line.pop_back(); // the newline
    line.insert(0, list_separator(first));
    first = false;
    return write(line);
  });
  return told ? write(close_list(first)) : told;
}

Result<void> write_found_json_lines(analysis::FoundObjects& found, const Write& write) {
  return found.each([&](const FoundObject& each) { return write(record(each)); });
}

} // namespace pygc::report
