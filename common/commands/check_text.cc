#include "common/base/numbers.h"
#include "common/commands/check_view.h"
#include "common/commands/paragraph.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

class TextView {
public:
  TextView(const Context& context, const analysis::CheckReport& report, unsigned width, bool colour)
      : context_(context), report_(report), width_(std::max(width, 40U)), colour_(colour) {}

  std::string render() {
    header();
    for (const analysis::Finding& finding : report_.findings) {
      text_ += '\n';
      show(finding);
    }
    if (!report_.notes.empty() || !report_.incomplete_because.empty()) {
      text_ += '\n';
    }
    for (const std::string& note : report_.notes) {
      text_ += paragraph("note: " + note, width_);
    }
    for (const std::string& why : report_.incomplete_because) {
      text_ += paragraph("incomplete: " + why, width_);
    }
    text_ += '\n';
    verdict();
    return std::move(text_);
  }

private:
  std::string paint(std::string_view text, std::string_view code) const {
    return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }

  void header() {
    const target::Info& info = context_.target().info();
    const cpython::Runtime& runtime = context_.runtime();
    const std::string what = info.kind == target::Kind::core   ? "core " + info.core_path
                             : info.kind == target::Kind::live ? fmt::format("process {}", info.pid)
                                                               : std::string("remote target");
    text_ += paragraph(what, width_);
    text_ +=
        paragraph(fmt::format("CPython {} {} ({}), layout: {}", runtime.version.text(),
                              runtime.version.debug ? "debug" : "release", runtime.module->path(),
                              cpython::layout_source_name(runtime.layout_source)),
                  width_);
    for (const analysis::InterpreterView& interpreter : report_.interpreters) {
      std::string line = fmt::format("interpreter {}:", interpreter.id);
      for (const analysis::GenerationView& generation : interpreter.generations) {
        const bool named = generation.name.find_first_not_of("0123456789") != std::string::npos;
        line +=
            fmt::format("{} {}{}: {}", &generation == interpreter.generations.data() ? "" : ",",
                        named ? "" : "generation ", generation.name, grouped(generation.objects));
      }
      text_ += paragraph(line + " objects", width_);
    }
    collection();
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
    text_ += paragraph(counts + (report_.complete ? "; complete" : "; incomplete"), width_);
    engines();
  }

  void engines() {
    if (const auto& engines = report_.engines) {
      text_ += paragraph(
          fmt::format("native and emulated engine compared on {} objects: {} differences{}",
                      grouped(engines->objects), grouped(engines->differences),
                      engines->not_compared == 0
                          ? ""
                          : fmt::format(", {} not compared", grouped(engines->not_compared))),
          width_);
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
    if (state.phase != analysis::Phase::unknown) {
      line += fmt::format(", in {}", analysis::phase_name(state.phase));
    }
    text_ += paragraph(line, width_);
    if (state.container) {
      text_ += paragraph(
          fmt::format("container {}{} at {:#x}",
                      state.container_index ? fmt::format("#{}: ", *state.container_index) : "",
                      state.container->summary, state.container->address),
          width_, 2);
    }
    if (state.victim) {
      text_ += paragraph(
          fmt::format("victim: {} at {:#x}", state.victim->summary, state.victim->address), width_,
          2);
    }
  }

  void show(const analysis::Finding& finding) {
    const std::string_view severity = analysis::severity_name(finding.severity);
    text_ +=
        fmt::format("{}: {}{}\n",
                    paint(severity, finding.severity == analysis::Severity::error     ? "1;31"
                                    : finding.severity == analysis::Severity::warning ? "1;33"
                                                                                      : "1;36"),
                    analysis::finding_kind_name(finding.kind),
                    finding.occurrences > 1 ? fmt::format(" ({} times)", finding.occurrences) : "");
    if (finding.object) {
      text_ += paragraph(
          fmt::format("{} at {:#x}", finding.object->summary, finding.object->address), width_, 2);
    }
    if (finding.object && finding.gc_refs && finding.visits) {
      text_ += paragraph(fmt::format("refcount {} - visits {} = gc_refs {}",
                                     static_cast<std::int64_t>(*finding.visits) + *finding.gc_refs,
                                     *finding.visits, *finding.gc_refs),
                         width_, 2);
    }
    if (finding.stored) {
      text_ += paragraph(fmt::format("stored gc_refs {}, visits that memory does not explain: {}",
                                     *finding.stored, finding.unexplained_visits.value_or(0)),
                         width_, 2);
    }
    if (!finding.visitors.empty()) {
      text_ += finding.stored ? "  would be visited by\n" : "  visited by\n";
    }
    for (const analysis::Visitor& visitor : finding.visitors) {
      text_ += paragraph(
          fmt::format("{} x {} at {:#x}", visitor.visits, visitor.summary, visitor.container),
          width_, 4);
      std::string how = "through " + visitor.function;
      if (visitor.slot) {
        how += fmt::format(", slot {} ({})",
                           visitor.slot_name.empty() ? fmt::format("{:#x}", *visitor.slot)
                                                     : visitor.slot_name,
                           analysis::owner_name(visitor.owner));
      }
      text_ += paragraph(how, width_, 8);
    }
    text_ += paragraph(finding.message, width_, 2);
  }

  void verdict() {
    std::size_t errors = 0;
    std::size_t others = 0;
    for (const analysis::Finding& finding : report_.findings) {
      ++(finding.severity == analysis::Severity::error ? errors : others);
    }
    const std::string verdict = verdict_of(report_);
    std::string line = "verdict: " + paint(verdict, verdict == "clean" ? "1;32" : "1;31");
    if (errors + others > 0) {
      line +=
          fmt::format(" ({} error{}, {} of less weight)", errors, errors == 1 ? "" : "s", others);
    }
    text_ += line + '\n';
  }

  const Context& context_;
  const analysis::CheckReport& report_;
  unsigned width_;
  bool colour_;
  std::string text_;
};

} // namespace

std::string check_text(const Context& context, const analysis::CheckReport& report, unsigned width,
                       bool colour) {
  return TextView(context, report, width, colour).render();
}

} // namespace pygc::commands
