#include "common/report/runtime_view.h"

#include "common/report/kit/envelope.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::FaulthandlerRow;
using analysis::RuntimeView;

Json interpreters_json(const RuntimeView& runtime) {
  Json interpreters = Json::array();
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    interpreters.push_back({{"id", interpreter.id},
                            {"address", hex(interpreter.address)},
                            {"gc_state", hex(interpreter.gc_state)},
                            {"enabled", interpreter.enabled},
                            {"collecting", interpreter.collecting},
                            {"finalizing", interpreter.finalizing}});
  }
  return interpreters;
}

Json faulthandler_json(const analysis::FaulthandlerView& faulthandler) {
  Json entries = Json::array();
  for (const FaulthandlerRow& row : faulthandler.rows) {
    const cpython::FaulthandlerEntry& entry = row.entry;
    entries.push_back({{"name", entry.name},
                       {"enabled", entry.enabled},
                       {"slot", hex(entry.file_slot)},
                       {"file", address_or_null(entry.file)},
                       {"summary", entry.file == 0 ? Json(nullptr) : Json(row.summary)},
                       {"fd", entry.fd},
                       {"all_threads", entry.all_threads},
                       {"chain", entry.chain}});
  }
  return {{"where", faulthandler.where},
          {"address", address_or_null(faulthandler.address)},
          {"entries", std::move(entries)}};
}

Json runtime_json(const RuntimeView& runtime) {
  Json json = {{"address", hex(runtime.address)},
               {"image", runtime.image},
               {"version", runtime.version.text()},
               {"hexversion", runtime.version.hexversion},
               {"debug", runtime.version.debug},
               {"layout", cpython::layout_source_name(runtime.layout_source)},
               {"layout_detail", runtime.layout_detail},
               {"interpreters", interpreters_json(runtime)}};
  if (runtime.faulthandler) {
    json["faulthandler"] = faulthandler_json(*runtime.faulthandler);
  } else {
    json["faulthandler"] = nullptr;
    json["faulthandler_problem"] = runtime.faulthandler_problem;
  }
  return json;
}

void add_entry(Text& text, const FaulthandlerRow& row) {
  const cpython::FaulthandlerEntry& entry = row.entry;
  std::string line = fmt::format("{}: {}", entry.name, entry.enabled ? "enabled" : "not enabled");
  if (entry.file != 0) {
    line += fmt::format(", file {} at {:#x}", row.summary, entry.file);
  }
  if (entry.enabled) {
    line += fmt::format(", fd {}{}{}", entry.fd, entry.all_threads ? ", all threads" : "",
                        entry.chain ? ", chained" : "");
  }
  text.paragraph(line, 2);
}

void add_runtime(Text& text, const RuntimeView& runtime) {
  text.paragraph(
      fmt::format("CPython {} {}{}, _PyRuntime at {:#x} of {}, layout: {} ({})",
                  runtime.version.text(), runtime.version.free_threaded ? "free-threaded " : "",
                  runtime.version.debug ? "debug" : "release", runtime.address, runtime.image,
                  cpython::layout_source_name(runtime.layout_source), runtime.layout_detail));
  for (const cpython::Interpreter& interpreter : runtime.interpreters) {
    text.paragraph(fmt::format("interpreter {} at {:#x}: collector {}{}{}", interpreter.id,
                               interpreter.address, interpreter.enabled ? "enabled" : "disabled",
                               interpreter.collecting ? ", a collection is running" : "",
                               interpreter.finalizing ? ", finalising" : ""));
  }
  if (!runtime.faulthandler) {
    text.paragraph("faulthandler: " + runtime.faulthandler_problem);
    return;
  }
  text.line(fmt::format("faulthandler ({}):", runtime.faulthandler->where));
  for (const FaulthandlerRow& row : runtime.faulthandler->rows) {
    add_entry(text, row);
  }
}

} // namespace

std::string runtime_json(const Subject& subject,
                         const std::vector<analysis::RuntimeView>& runtimes) {
  Json list = Json::array();
  for (const RuntimeView& runtime : runtimes) {
    list.push_back(runtime_json(runtime));
  }
  Json document = envelope("runtime", subject, {});
  document["runtimes"] = std::move(list);
  return document_text(document);
}

std::string runtime_text(const std::vector<analysis::RuntimeView>& runtimes, Style style) {
  Text text(style);
  for (const RuntimeView& runtime : runtimes) {
    add_runtime(text, runtime);
  }
  return text.take();
}

} // namespace pygc::report
