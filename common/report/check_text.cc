#include "common/base/numbers.h"
#include "common/report/check_view.h"
#include "common/report/finding_text.h"
#include "common/report/kit/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pygc::report {
namespace {

class TextView {
public:
  TextView(const Subject& subject, const analysis::CheckReport& report, Style style)
      : subject_(subject), report_(report), text_(style) {}

  std::string render() {
    header();
    for (const analysis::Finding& finding : report_.findings) {
      text_.blank();
      add_finding(text_, finding);
    }
    if (!report_.notes.empty() || !report_.incomplete_because.empty()) {
      text_.blank();
    }
    text_.notes(report_.notes);
    text_.incomplete(report_.incomplete_because);
    text_.blank();
    coverage();
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
      text_.paragraph(fmt::format("CPython {} {}{} ({}), layout: {}", python.version.text(),
                                  python.version.free_threaded ? "free-threaded " : "",
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
      if (crash->stack_overflow) {
        line += "; its stack has overflowed";
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

  void verdict() {
    std::string weights;
    for (const auto severity :
         {analysis::Severity::error, analysis::Severity::warning, analysis::Severity::note}) {
      const auto count = static_cast<std::uint64_t>(
          std::ranges::count(report_.findings, severity, &analysis::Finding::severity));
      if (count != 0) {
        weights +=
            (weights.empty() ? "" : ", ") + counted(count, analysis::severity_name(severity));
      }
    }
    const std::string_view verdict = verdict_of(report_);
    text_.line({{"verdict: "},
                {std::string(verdict), verdict == "clean"      ? Colour::green
                                       : verdict == "warnings" ? Colour::yellow
                                                               : Colour::red},
                {weights.empty() ? "" : " (" + weights + ")"}});
  }

  /// What the verdict covers, and what it does not.
  void coverage() {
    const analysis::Coverage& coverage = report_.coverage;
    if (coverage.checked.empty()) {
      return;
    }
    std::string others;
    std::string commands;
    std::string nowhere;
    for (const analysis::Coverage::Gap& gap : coverage.not_checked) {
      if (!gap.why.empty()) {
        text_.paragraph(fmt::format("not looked at: {} ({})", gap.what, gap.why));
        continue;
      }
      if (gap.command.empty()) {
        nowhere += (nowhere.empty() ? "; nor " : ", ") + gap.what;
        continue;
      }
      others += (others.empty() ? "" : ", ") + gap.what;
      commands += (commands.empty() ? "" : ", ") + gap.command;
    }
    text_.paragraph(fmt::format("looked at: {}; not: {}: {}{}", fmt::join(coverage.checked, ", "),
                                others, commands, nowhere));
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
