#include "common/report/gc_refs_view.h"

#include "common/report/kit/envelope.h"
#include "common/report/kit/open_list.h"
#include "common/report/kit/printable.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <iterator>
#include <string>
#include <vector>

namespace pygc::report {
namespace {

std::string json_string(const std::string& text) {
  std::string line = record_text(text);
  line.pop_back(); // the newline
  return line;
}

/// Writes the rows piece by piece; `add` appends one, given the words for its type.
template <class Add>
Result<void> write_rows(analysis::GcRefsList& list, const Write& write,
                        std::string (*words)(const std::string&), Add add) {
  std::vector<std::string> types;
  fmt::memory_buffer text;
  return list.each([&](std::span<const analysis::GcRefsRow> rows) {
    for (std::size_t i = types.size(); i < list.types().size(); ++i) {
      types.push_back(words(list.types()[i]));
    }
    text.clear();
    for (const analysis::GcRefsRow& row : rows) {
      add(text, row, types[row.type]);
    }
    return write({text.data(), text.size()});
  });
}

} // namespace

Result<void> write_gc_refs_json(const Subject& subject, analysis::GcRefsList& list,
                                const Write& write) {
  Json document = envelope("gc-refs", subject, list.incomplete_because);
  document["count"] = list.count();
  if (auto written = write(open_list(document, "objects")); !written) {
    return written;
  }
  bool first = true;
  const auto add = [&](fmt::memory_buffer& text, const analysis::GcRefsRow& row,
                       const std::string& type) {
    fmt::format_to(
        std::back_inserter(text),
        FMT_COMPILE(R"({}{{"address": "{:#x}", "gc_refs": {}, "refcount": {}, "type": {}}})"),
        list_separator(first), row.object, row.gc_refs, row.refcount, type);
    first = false;
  };
  if (auto written = write_rows(list, write, &json_string, add); !written) {
    return written;
  }
  return write(close_list(list.count() == 0));
}

Result<void> write_gc_refs_text(analysis::GcRefsList& list, const Write& write) {
  const auto add = [](fmt::memory_buffer& text, const analysis::GcRefsRow& row,
                      const std::string& type) {
    fmt::format_to(std::back_inserter(text), FMT_COMPILE("{:#x} {} {} {}\n"), row.object,
                   row.gc_refs, row.refcount, type);
  };
  return write_rows(list, write, [](const std::string& type) { return printable(type); }, add);
}

} // namespace pygc::report
