#include "common/report/generations_view.h"

#include "common/report/kit/envelope.h"

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

void add_generation(Text& text, const GenerationRow& generation) {
  text.line(fmt::format("  {:<10} {:>11} objects   count {:>6}   threshold {:>6}{}",
                        generation.name, grouped(generation.objects), generation.count,
                        generation.threshold,
                        generation.whole ? "" : "   (damaged: see pygc check)"));
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
    interpreters.push_back({{"id", interpreter.id},
                            {"address", hex(interpreter.address)},
                            {"enabled", interpreter.enabled},
                            {"collecting", interpreter.collecting},
                            {"generations", std::move(generations)}});
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
    for (const GenerationRow& generation : interpreter.generations) {
      add_generation(text, generation);
    }
  }
  return text.take();
}

} // namespace pygc::report
