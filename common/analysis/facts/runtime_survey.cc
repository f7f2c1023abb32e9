#include "common/analysis/facts/runtime_survey.h"

#include "common/cpython/objects/object_names.h"

namespace pygc::analysis {

RuntimeView survey_runtime(const image::ProcessImage& image, const cpython::Runtime& runtime) {
  RuntimeView view{.address = runtime.address,
                   .image = runtime.module->path(),
                   .version = runtime.version,
                   .layout_source = runtime.layout_source,
                   .layout_detail = runtime.layout_detail,
                   .interpreters = runtime.interpreters,
                   .faulthandler = std::nullopt,
                   .faulthandler_problem = {}};
  const auto state = cpython::read_faulthandler(image, runtime);
  if (!state) {
    view.faulthandler_problem = state.error().reason;
    return view;
  }
  cpython::ObjectReader reader(image, runtime);
  cpython::ObjectNames names(reader);
  FaulthandlerView faulthandler{.where = state->where, .address = state->address, .rows = {}};
  for (const cpython::FaulthandlerEntry& entry : state->entries) {
    faulthandler.rows.push_back(
        {.entry = entry, .summary = entry.file == 0 ? "" : names.summary(entry.file)});
  }
  view.faulthandler = std::move(faulthandler);
  return view;
}

} // namespace pygc::analysis
