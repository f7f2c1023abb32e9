// What a target's CPython says of itself: version, interpreters, faulthandler.
#pragma once

#include "common/cpython/objects/faulthandler.h"
#include "common/cpython/runtime.h"
#include "common/image/module.h"

#include <optional>
#include <string>
#include <vector>

namespace pygc::analysis {

struct FaulthandlerRow {
  cpython::FaulthandlerEntry entry;
  std::string summary; // of the file; empty when there is none
};

struct FaulthandlerView {
  std::string where;
  Address address = 0; // 0 for file statics
  std::vector<FaulthandlerRow> rows;
};

struct RuntimeView {
  Address address = 0;
  std::string image;
  cpython::Version version;
  cpython::LayoutSource layout_source = cpython::LayoutSource::dwarf;
  std::string layout_detail;
  std::vector<cpython::Interpreter> interpreters;
  std::optional<FaulthandlerView> faulthandler;
  std::string faulthandler_problem; // one sentence when its state cannot be read
};

RuntimeView survey_runtime(const image::ProcessImage& image, const cpython::Runtime& runtime);

} // namespace pygc::analysis
