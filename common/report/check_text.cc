#include "common/base/numbers.h"
#include "common/report/check_view.h"
#include "common/report/kit/text.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

Colour severity_colour(analysis::Severity severity) {
  switch (severity) {
  case analysis::Severity::error:
    return Colour::red;
  case analysis::Severity::warning:
    return Colour::yellow;
  case analysis::Severity::note:
    return Colour::cyan;
  }
  return Colour::none;
}

class TextView {
public:
  TextView(const Subject& subject, const analysis::CheckReport& report, Style style)
      : subject_(subject), report_(report), text_(style) {}

  std::string render() {
    header();
    for (const analysis::Finding& finding : report_.findings) {
      text_.blank();
      show(finding);
    }
    if (!report_.notes.empty() || !report_.incomplete_because.empty()) {
      text_.blank();
    }
    text_.notes(report_.notes);
    text_.incomplete(report_.incomplete_because);
    text_.blank();
    verdict();
    return text_.take();
  }

private:
  void header() {
    if (subject_.target) {
      const target::Info& info = *subject_.target;
      text_.paragraph(info.kind == target::Kind::core   ? "core " + info.core_path
                      : info.kind == target::Kind::live ? fmt::format("process {}", info.pid)
                                                        : std::string("remote target"));
    }
    if (subject_.python) {
      const Python& python = *subject_.python;
      text_.paragraph(fmt::format("CPython {} {} ({}), layout: {}", python.version.text(),
                                  python.version.debug ? "debug" : "release", python.image,
                                  cpython::layout_source_name(python.layout_source)));
    }
    for (const analysis::InterpreterView& interpreter : report_.interpreters) {
      std::string line = fmt::format("interpreter {}:", interpreter.id);
      for (const analysis::GenerationView& generation : interpreter.generations) {
        const bool named = generation.name.find_first_not_of("0123456789") != std::string::npos;
        line +=
            fmt::format("{} {}{}: {}", &generation == interpreter.generations.data() ? "" : ",",
                        named ? "" : "generation ", generation.name, grouped(generation.objects));
      }
      text_.paragraph(line + " objects");
    }
    collection();
    crash();
    const analysis::ObjectCounts& objects = report_.objects;
    std::string counts =
        fmt::format("walked {} objects, traversed {}, {} visits", grouped(objects.walked),
                    grouped(objects.traversed), grouped(objects.visits));
    for (const auto& [count, word] :
         {std::pair{objects.immortal, "immortal"}, std::pair{objects.frozen, "frozen"},
          std::pair{objects.unreadable, "unreadable"},
          std::pair{objects.not_traversed, "not traversed"}}) {
      if (count != 0) {
        counts += fmt::format(", {} {}", grouped(count), word);
      }
    }
    if (objects.traced != 0) {
      counts += fmt::format(", {} traced", grouped(objects.traced));
    }
    text_.paragraph(counts + (report_.complete ? "; complete" : "; incomplete"));
    engines();
  }

  void engines() {
    if (const auto& engines = report_.engines) {
      text_.paragraph(
          fmt::format("native and emulated engine compared on {} objects: {} differences{}",
                      grouped(engines->objects), grouped(engines->differences),
                      engines->not_compared == 0
                          ? ""
                          : fmt::format(", {} not compared", grouped(engines->not_compared))));
    }
  }

  void crash() {
    if (const auto& crash = report_.crash) {
      std::string line = fmt::format("{} ended thread {}", crash->signal, crash->tid);
      if (!crash->doing.empty()) {
        line += fmt::format(", {} ({})", crash->doing, crash->function);
      } else if (!crash->stack.empty()) {
        line += ", in " + crash->stack.front();
      }
      text_.paragraph(line);
    }
  }

  void collection() {
    const analysis::CollectionState& state = report_.collection;
    if (!state.in_progress) {
      return;
    }
    std::string line = "a collection was running";
    if (!state.generation.empty()) {
      line += fmt::format(" (generation {})", state.generation);
    }
    if (state.phase != cpython::Phase::unknown) {
      line += fmt::format(", in {}", cpython::phase_name(state.phase));
    }
    text_.paragraph(line);
    if (state.container) {
      text_.paragraph(
          fmt::format("container {}{} at {:#x}",
                      state.container_index ? fmt::format("#{}: ", *state.container_index) : "",
                      state.container->summary, state.container->address),
          2);
    }
    if (state.victim) {
      text_.paragraph(
          fmt::format("victim: {} at {:#x}", state.victim->summary, state.victim->address), 2);
    }
  }

  void show(const analysis::Finding& finding) {
    const std::string_view severity = analysis::severity_name(finding.severity);
    text_.line(
        {{std::string(severity), severity_colour(finding.severity)},
         {fmt::format(": {}{}", analysis::finding_kind_name(finding.kind),
                      finding.occurrences > 1 ? fmt::format(" ({} times)", finding.occurrences)
                                              : "")}});
    if (finding.object) {
      text_.paragraph(fmt::format("{} at {:#x}", finding.object->summary, finding.object->address),
                      2);
    }
    if (finding.object && finding.gc_refs && finding.visits) {
      text_.paragraph(fmt::format("refcount {} - visits {} = gc_refs {}",
                                  static_cast<std::int64_t>(*finding.visits) + *finding.gc_refs,
                                  *finding.visits, *finding.gc_refs),
                      2);
    }
    if (finding.stored) {
      text_.paragraph(fmt::format("stored gc_refs {}, visits that memory does not explain: {}",
                                  *finding.stored, finding.unexplained_visits.value_or(0)),
                      2);
    }
    if (!finding.visitors.empty()) {
      text_.line(finding.stored ? "  would be visited by" : "  visited by");
    }
    for (const analysis::Visitor& visitor : finding.visitors) {
      text_.paragraph(
          fmt::format("{} x {} at {:#x}", visitor.visits, visitor.summary, visitor.container), 4);
      std::string how = "through " + visitor.function;
      if (visitor.slot) {
        how += fmt::format(", slot {} ({})",
                           visitor.slot_name.empty() ? fmt::format("{:#x}", visitor.slot->at)
                                                     : visitor.slot_name,
                           analysis::owner_name(visitor.owner));
      }
      text_.paragraph(how, 8);
    }
    text_.paragraph(finding.message, 2);
    if (finding.object && finding.kind != analysis::FindingKind::object_corrupt &&
        finding.kind != analysis::FindingKind::list_corrupt) {
      text_.line(fmt::format("  next: pygc object {:#x}", finding.object->address));
    }
  }

  void verdict() {
    std::size_t errors = 0;
    std::size_t others = 0;
    for (const analysis::Finding& finding : report_.findings) {
      ++(finding.severity == analysis::Severity::error ? errors : others);
    }
    const std::string verdict = verdict_of(report_);
    std::string weights;
    if (errors + others > 0) {
      weights =
          fmt::format(" ({} error{}, {} of less weight)", errors, errors == 1 ? "" : "s", others);
    }
    text_.line(
        {{"verdict: "}, {verdict, verdict == "clean" ? Colour::green : Colour::red}, {weights}});
  }

  const Subject& subject_;
  const analysis::CheckReport& report_;
  Text text_;
};

} // namespace

std::string check_text(const Subject& subject, const analysis::CheckReport& report, Style style) {
  return TextView(subject, report, style).render();
}

} // namespace pygc::report
