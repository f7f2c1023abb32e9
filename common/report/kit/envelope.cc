#include "common/report/kit/envelope.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

Json target_json(const Subject& subject) {
  if (!subject.target) {
    return nullptr;
  }
  const target::Info& info = *subject.target;
  return {{"kind", target_kind_name(info.kind)},
          {"pid", info.pid},
          {"core", text_or_null(info.core_path)},
          {"executable", text_or_null(info.executable_path)},
          {"stopped_seconds", or_null(info.stopped_seconds)},
          {"fetched_bytes", or_null(subject.fetched_bytes)}};
}

Json python_json(const std::optional<Python>& python) {
  if (!python) {
    return nullptr;
  }
  return {{"version", python->version.text()},
          {"hexversion", python->version.hexversion},
          {"debug", python->version.debug},
          {"free_threaded", python->version.free_threaded},
          {"layout", cpython::layout_source_name(python->layout_source)},
          {"layout_detail", python->layout_detail},
          {"image", python->image}};
}

} // namespace

std::string_view pygc_version() {
  return PYGC_VERSION;
}

Json envelope(std::string_view name, const Subject& subject,
              const std::vector<std::string>& incomplete_because) {
  return {{"schema", fmt::format("pygc.{}/1", name)}, {"pygc", pygc_version()},
          {"target", target_json(subject)},           {"python", python_json(subject.python)},
          {"complete", incomplete_because.empty()},   {"incomplete_because", incomplete_because}};
}

} // namespace pygc::report
