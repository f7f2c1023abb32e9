#include "common/base/numbers.h"
#include "common/report/step_view.h"

#include <fmt/format.h>

namespace pygc::report {
namespace {

class TextView {
public:
  TextView(const analysis::StepReport& report, Style style) : report_(report), text_(style) {}

  std::string render() {
    header();
    if (report_.located) {
      container();
      changes();
      visits();
      if (report_.next) {
        add("next container:");
        describe(*report_.next, 2);
      } else {
        add(fmt::format("no container is left: {} is at its end", report_.phase));
      }
      differences();
    }
    return text_.take();
  }

private:
  void add(std::string_view text, unsigned indent = 0) { text_.paragraph(text, indent); }

  void header() {
    if (report_.reached == false) {
      add("the process is not where it was to go");
    }
    if (!report_.in_progress) {
      add("no collection is running");
      return;
    }
    std::string line = fmt::format("interpreter {} collects", report_.interpreter.value_or(0));
    if (!report_.generation.empty()) {
      line += " generation " + report_.generation;
    }
    line +=
        report_.phase.empty() ? ", in a phase that cannot be told here" : ", in " + report_.phase;
    add(line);
  }

  void describe(const analysis::StepContainer& container, unsigned indent) {
    add(fmt::format("#{}: {} at {:#x}", grouped(container.index + 1), container.object.summary,
                    container.object.address),
        indent);
    add("through " + container.function, indent + 4);
  }

  void container() {
    if (!report_.container) {
      add(fmt::format("none of the {} containers has been traversed yet",
                      grouped(report_.containers)));
      return;
    }
    add(fmt::format("container {} of {}, {}:", grouped(report_.container->index + 1),
                    grouped(report_.containers), report_.inside ? "being traversed" : "traversed"));
    describe(*report_.container, 2);
  }

  void changes() {
    if (!report_.container) {
      return;
    }
    if (report_.inside) {
      add(fmt::format("it has made {} of the {} visits that count:", grouped(report_.visits_made),
                      grouped(report_.visits_all)),
          2);
    } else {
      add(fmt::format("it made {} visits that count{}", grouped(report_.visits_all),
                      report_.changed.empty() ? "" : ":"),
          2);
    }
    for (const analysis::StepChange& change : report_.changed) {
      add(fmt::format("gc_refs {} -> {}: {} at {:#x}", change.before, change.stored,
                      change.object.summary, change.object.address),
          4);
    }
    more(report_.changed_count - report_.changed.size(), 4);
  }

  void more(std::uint64_t count, unsigned indent) {
    if (count > 0) {
      add(fmt::format("and {} more", grouped(count)), indent);
    }
  }

  void visit(const char* which, const std::optional<analysis::StepVisit>& visit) {
    if (!visit) {
      return;
    }
    add(fmt::format("{} visit: {} at {:#x}, {} gc_refs {}{}", which, visit->object.summary,
                    visit->object.address, which == std::string_view("last") ? "left" : "leaves",
                    visit->gc_refs, visit->gc_refs < 0 ? " (negative)" : ""),
        2);
  }

  void visits() {
    visit("last", report_.last_visit);
    visit("next", report_.next_visit);
  }

  void differences() {
    if (report_.difference_count == 0) {
      add("every stored gc_refs is what it should be");
      return;
    }
    add(fmt::format("{} stored gc_refs {} not what {} should be:",
                    grouped(report_.difference_count), report_.difference_count == 1 ? "is" : "are",
                    report_.difference_count == 1 ? "it" : "they"));
    for (const analysis::StepDifference& one : report_.differences) {
      add(fmt::format("{} instead of {}{}: {} at {:#x}", one.stored, one.highest,
                      one.lowest == one.highest ? "" : fmt::format(" to {}", one.lowest),
                      one.object.summary, one.object.address),
          2);
    }
    more(report_.difference_count - report_.differences.size(), 2);
  }

  const analysis::StepReport& report_;
  Text text_;
};

} // namespace

std::string step_text(const analysis::StepReport& report, Style style) {
  return TextView(report, style).render();
}

} // namespace pygc::report
