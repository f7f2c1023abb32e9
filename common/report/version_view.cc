#include "common/report/version_view.h"

#include "common/cpython/version.h"
#include "common/machine/machine.h"
#include "common/report/kit/envelope.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

std::string machine_name() {
  return std::string(machine::processor_name) + " Linux";
}

} // namespace

std::string version_json() {
  Json document = envelope("version", {}, {});
  document["supported"] = cpython::supported_versions();
  document["machine"] = machine_name();
  return document_text(document);
}

std::string version_text() {
  return fmt::format("pygc {} (CPython {}, {})\n", pygc_version(), cpython::supported_versions(),
                     machine_name());
}

} // namespace pygc::report
