#include "common/report/garbage_view.h"

#include "common/report/kit/envelope.h"

#include <fmt/format.h>
#include <ranges>

namespace pygc::report {
namespace {

using analysis::CycleGroup;
using analysis::Fate;
using analysis::Garbage;
using analysis::GarbageObject;
using analysis::InterpreterGarbage;
using analysis::LeftGarbage;
using analysis::LeftReference;
using analysis::TypeCount;

std::string_view basis(const Garbage& garbage) {
  return garbage.incomplete_because.empty() ? "exact" : "lower bound";
}

Json types_json(const std::vector<TypeCount>& types) {
  Json json = Json::array();
  for (const TypeCount& type : types) {
    json.push_back({{"type", type.name}, {"objects", type.objects}});
  }
  return json;
}

Json cycles_json(const std::vector<CycleGroup>& groups) {
  Json json = Json::array();
  for (const CycleGroup& group : groups) {
    json.push_back({{"cycles", group.cycles},
                    {"size", group.size},
                    {"types", types_json(group.types)},
                    {"example", hex(group.example)}});
  }
  return json;
}

Json objects_json(const Garbage& garbage, const std::vector<GarbageObject>& objects) {
  Json json = Json::array();
  for (const GarbageObject& object : objects) {
    json.push_back({{"address", hex(object.address)},
                    {"type", garbage.types[object.type]},
                    {"refcount", object.refcount},
                    {"cycle", or_null(object.cycle)},
                    {"fate", fate_name(object.fate)}});
  }
  return json;
}

std::string_view basis(const LeftGarbage& left) {
  return left.finalizers ? "likely" : "proven";
}

Json left_json(const LeftGarbage& left) {
  Json references = Json::array();
  for (const LeftReference& each : left.references) {
    references.push_back({{"type", each.type},
                          {"function", text_or_null(each.function)},
                          {"source", text_or_null(each.source)},
                          {"field", text_or_null(each.field)},
                          {"objects", each.objects},
                          {"example", hex(each.example)},
                          {"visited", hex(each.visited)}});
  }
  return {{"basis", basis(left)},      {"objects", left.objects},
          {"cycles", left.cycles},     {"references", std::move(references)},
          {"examined", left.examined}, {"not_run", left.not_run},
          {"passed", left.passed},     {"problem", text_or_null(left.problem)}};
}

Json interpreter_json(const Garbage& garbage, const InterpreterGarbage& each, bool objects) {
  Json generations = Json::array();
  for (const analysis::GenerationRow& row : each.generations) {
    generations.push_back({{"name", row.name}, {"count", row.count}, {"threshold", row.threshold}});
  }
  Json json = {{"id", each.id},
               {"enabled", each.enabled},
               {"generations", std::move(generations)},
               {"collected", each.collected},
               {"immortal", each.immortal},
               {"unreachable", each.objects.size()},
               {"uncollectable", each.uncollectable},
               {"legacy_finalizers", each.legacy_finalizers},
               {"finalizers", types_json(each.finalizers)},
               {"weakref_callbacks", each.callbacks},
               {"cycles", cycles_json(each.cycles)},
               {"outside_cycles", each.outside_cycles},
               {"types", types_json(each.by_type)},
               {"left", left_json(each.left)}};
  if (objects) {
    json["objects"] = objects_json(garbage, each.objects);
  }
  return json;
}

std::string type_list(const std::vector<TypeCount>& types, std::size_t limit) {
  std::string text;
  for (const TypeCount& type : types | std::views::take(limit)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(type.objects),
                        type.name.empty() ? "?" : type.name);
  }
  if (types.size() > limit) {
    text += fmt::format(" and {} more types", types.size() - limit);
  }
  return text;
}

void add_cycles(Text& text, const InterpreterGarbage& each, std::size_t limit) {
  for (const CycleGroup& group : each.cycles | std::views::take(limit)) {
    text.paragraph(fmt::format("{} {} of {}: {}; one has {}", grouped(group.cycles),
                               group.cycles == 1 ? "cycle" : "cycles", grouped(group.size),
                               type_list(group.types, limit), text.listed(group.example)),
                   4);
  }
  if (each.cycles.size() > limit) {
    text.paragraph(fmt::format("and {} more kinds of cycles", each.cycles.size() - limit), 4);
  }
  if (each.outside_cycles != 0) {
    text.paragraph(fmt::format("{} in no cycle, held by one", grouped(each.outside_cycles)), 4);
  }
}

/// "tp_clear of app.Node (node_clear, node.c:8) leaves +0x18 of the container: ..."
std::string left_reference(const LeftReference& each) {
  std::string text = each.function.empty()
                         ? fmt::format("{} has no tp_clear, and keeps ", each.type)
                         : fmt::format("tp_clear of {} ({}{}{}) leaves ", each.type, each.function,
                                       each.source.empty() ? "" : ", ", each.source);
  text += each.field.empty() ? "a reference" : each.field;
  return text + fmt::format(": {} {}, such as {} to {}", grouped(each.objects),
                            each.objects == 1 ? "object" : "objects", hex(each.example),
                            hex(each.visited));
}

void add_left(Text& text, const LeftGarbage& left, std::size_t limit) {
  if (!left.problem.empty()) {
    text.line("  stays          not known");
    text.paragraph("tp_clear was not run: " + left.problem, 4);
    return;
  }
  text.line(left.objects == 0
                ? "  stays          nothing: tp_clear breaks every cycle that was looked at"
                : fmt::format("  stays          {} after each collection   ({})",
                              counted(left.objects, "object"), basis(left)));
  if (left.objects != 0) {
    text.paragraph(
        fmt::format("in {} that tp_clear leaves; {} in cycles were looked at{}",
                    counted(left.cycles, "cycle"), counted(left.examined, "object"),
                    left.finalizers ? "; a finalizer reaches some and may break them" : ""),
        4);
  }
  if (left.not_run != 0) {
    text.paragraph(
        fmt::format("tp_clear of {} did not come to its end", counted(left.not_run, "object")), 4);
  }
  if (left.passed != 0) {
    text.paragraph(fmt::format("{} in cycles not looked at", counted(left.passed, "object")), 4);
  }
  for (const LeftReference& each : left.references | std::views::take(limit)) {
    text.paragraph(left_reference(each), 4);
  }
  if (left.references.size() > limit) {
    text.paragraph(fmt::format("and {} more places", left.references.size() - limit), 4);
  }
}

std::string fate_text(Fate fate, const LeftGarbage& left) {
  return fate == Fate::unknown
             ? "may stay: tp_clear was not run"
             : fmt::format("{}{}", fate_name(fate),
                           fate == Fate::stays ? fmt::format(" ({})", basis(left)) : "");
}

void add_interpreter(Text& text, const Garbage& garbage, const InterpreterGarbage& each,
                     std::size_t limit) {
  text.line(
      fmt::format("interpreter {}: a collection of {} objects", each.id, grouped(each.collected)));
  text.line(fmt::format("  unreachable    {} objects   ({})", grouped(each.objects.size()),
                        basis(garbage)));
  add_cycles(text, each, limit);
  if (!each.by_type.empty()) {
    text.paragraph("by type: " + type_list(each.by_type, limit), 4);
    text.line(fmt::format("  finalizers     {}",
                          each.finalizers.empty() ? "none" : type_list(each.finalizers, limit)));
    text.line(fmt::format("  callbacks      {} of weak references", grouped(each.callbacks)));
    text.line(fmt::format("  uncollectable  {} objects, by {} legacy finalizers (tp_del)",
                          grouped(each.uncollectable), grouped(each.legacy_finalizers)));
    add_left(text, each.left, limit);
  }
  std::string counts;
  for (const analysis::GenerationRow& row : each.generations) {
    counts += fmt::format(", generation {} count {} of {}", row.name, row.count, row.threshold);
  }
  text.paragraph(fmt::format("collector      {}{}", each.enabled ? "enabled" : "disabled", counts),
                 2);
}

} // namespace

std::string garbage_json(const Subject& subject, const Garbage& garbage, bool objects) {
  Json document = envelope("garbage", subject, garbage.incomplete_because);
  document["basis"] = basis(garbage) == "exact" ? "exact" : "lower_bound";
  document["interpreters"] = Json::array();
  for (const InterpreterGarbage& each : garbage.interpreters) {
    document["interpreters"].push_back(interpreter_json(garbage, each, objects));
  }
  return document_text(document);
}

std::string garbage_text(const Garbage& garbage, Style style, std::size_t limit, bool objects) {
  Text text(style);
  for (const InterpreterGarbage& each : garbage.interpreters) {
    add_interpreter(text, garbage, each, limit);
    if (objects) {
      for (const GarbageObject& object : each.objects) {
        text.line(fmt::format("  {} {} refcount {}, {}{}", text.listed(object.address),
                              garbage.types[object.type], object.refcount,
                              object.cycle ? fmt::format("cycle {}, ", *object.cycle) : "",
                              fate_text(object.fate, each.left)));
      }
    }
  }
  text.incomplete(garbage.incomplete_because);
  return text.take();
}

} // namespace pygc::report
