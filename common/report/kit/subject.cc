#include "common/report/kit/subject.h"

namespace pygc::report {

Subject subject_of(const target::Target& target, const cpython::Runtime* runtime) {
  Subject subject;
  subject.target = target.info();
  if (const auto traffic = target.traffic()) {
    subject.fetched_bytes = traffic->fetched;
  }
  if (runtime != nullptr) {
    subject.python = Python{.version = runtime->version,
                            .layout_source = runtime->layout_source,
                            .layout_detail = runtime->layout_detail,
                            .image = runtime->module->path()};
  }
  return subject;
}

std::string_view target_kind_name(target::Kind kind) {
  switch (kind) {
  case target::Kind::core:
    return "core";
  case target::Kind::live:
    return "live";
  case target::Kind::remote:
    return "remote";
  }
  return "core";
}

} // namespace pygc::report
