#include "common/report/generations_view.h"

#include "common/report/kit/envelope.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::report {
namespace {

using analysis::GenerationRow;
using analysis::InterpreterRow;
using analysis::TypeCount;

Json generation_json(const GenerationRow& generation) {
  Json types = Json::array();
  for (const TypeCount& type : generation.types) {
    types.push_back({{"type", type.name}, {"objects", type.objects}});
  }
  return {{"name", generation.name},       {"address", hex(generation.head)},
          {"count", generation.count},     {"threshold", generation.threshold},
          {"objects", generation.objects}, {"whole", generation.whole},
          {"types", std::move(types)}};
}

void add_generation(Text& text, const GenerationRow& generation, bool has_threshold) {
  const std::string threshold =
      has_threshold ? fmt::format("   threshold {:>6}", generation.threshold) : std::string();
  text.line(fmt::format("  {:<{}} {:>11} objects   count {:>6}{}{}", generation.name,
                        has_threshold ? 10 : 16, grouped(generation.objects), generation.count,
                        threshold, generation.whole ? "" : "   (damaged: see pygc check)"));
  std::string types;
  for (const TypeCount& type : generation.types) {
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", grouped(type.objects),
                         type.name.empty() ? "?" : type.name);
  }
  if (!types.empty()) {
    text.paragraph(types, 4);
  }
}

} // namespace

std::string generations_json(const Subject& subject, const analysis::GenerationSurvey& survey) {
  Json interpreters = Json::array();
  for (const InterpreterRow& interpreter : survey.interpreters) {
    Json generations = Json::array();
    for (const GenerationRow& generation : interpreter.generations) {
      generations.push_back(generation_json(generation));
    }
    Json row = {{"id", interpreter.id},
                {"address", hex(interpreter.address)},
                {"enabled", interpreter.enabled},
                {"collecting", interpreter.collecting}};
    if (interpreter.counts) {
      row["count"] = interpreter.counts->count;
      row["threshold"] = interpreter.counts->threshold;
      row["long_lived"] = interpreter.counts->long_lived;
    }
    row["generations"] = std::move(generations);
    interpreters.push_back(std::move(row));
  }
  Json document = envelope("generations", subject, survey.incomplete_because);
  document["interpreters"] = std::move(interpreters);
  return document_text(document);
}

std::string generations_text(const analysis::GenerationSurvey& survey, Style style) {
  Text text(style);
  for (const InterpreterRow& interpreter : survey.interpreters) {
    text.line(fmt::format("interpreter {}: collector {}{}", interpreter.id,
                          interpreter.enabled ? "enabled" : "disabled",
                          interpreter.collecting ? ", a collection is running" : ""));
    if (interpreter.counts) {
      text.line(fmt::format("  count {}   threshold {}   long-lived {}", interpreter.counts->count,
                            interpreter.counts->threshold,
                            grouped(static_cast<std::uint64_t>(
                                std::max<std::int64_t>(interpreter.counts->long_lived, 0)))));
    }
    for (const GenerationRow& generation : interpreter.generations) {
      add_generation(text, generation, !interpreter.counts);
    }
  }
  return text.take();
}

} // namespace pygc::report
