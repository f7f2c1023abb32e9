// `pygc check`: the verdict on a target.
#include "common/analysis/check/check.h"
#include "common/commands/explore_target.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/check_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace pygc::commands {
namespace {

int status_of(const analysis::CheckReport& report) {
  const bool error = std::ranges::any_of(report.findings, [](const analysis::Finding& finding) {
    return finding.severity == analysis::Severity::error;
  });
  if (error) {
    return status_findings;
  }
  return report.complete ? status_clean : status_incomplete;
}

class CheckCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_flag("--no-trace", no_trace_, "Do not trace visits to their slots and owners");
    app.add_flag("--deep", deep_, "Trace every object, not every module and a sample of each type");
    declare_engine_option(app, options_, true);
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (deep_ && no_trace_) {
      return fail(ErrorKind::usage, 0, "--deep and --no-trace exclude each other");
    }
    using Wanted = session::Context::Wanted;
    auto opened = session::Context::open_python(options_, surroundings,
                                                no_trace_ ? Wanted::nothing : Wanted::tracer);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    std::unique_ptr<session::Context> context = std::move(*opened);
    std::optional<Error> no_tracer;
    std::unique_ptr<replay::Sweep> sweep; // until all is told: its process takes a while to end
    auto swept = check_by_sweep(*context, sweep, no_tracer);
    if (!swept) {
      return std::unexpected(swept.error());
    }
    Result<analysis::CheckReport> report = analysis::CheckReport{};
    if (std::optional<analysis::CheckReport>& told = *swept) {
      report = std::move(*told);
    } else {
      sweep.reset();
      auto heap = session::open_heap(std::move(context));
      if (!heap) {
        return std::unexpected(heap.error());
      }
      report = check_heap(*heap, no_tracer);
      context = std::move(heap->context);
    }
    if (!report) {
      return std::unexpected(report.error());
    }
    return tell(*context, *report, no_tracer, surroundings);
  }

private:
  /// Nothing: that cannot do.
  Result<std::optional<analysis::CheckReport>> check_by_sweep(session::Context& context,
                                                              std::unique_ptr<replay::Sweep>& sweep,
                                                              std::optional<Error>& no_tracer) {
    if (deep_) {
      return std::nullopt;
    }
    auto started = context.sweep();
    if (!started) { // the other way meets with the same, if it lasts
      return no_answer<analysis::CheckReport>(started.error());
    }
    if (*started == nullptr) {
      return std::nullopt;
    }
    sweep = std::move(*started);
    const auto tracer = no_trace_ ? Result<replay::Tracer*>(nullptr) : context.tracer();
    if (!tracer) {
      if (tracer.error().kind == ErrorKind::cancelled) {
        return std::unexpected(tracer.error());
      }
      no_tracer = tracer.error();
    }
    const heap::Heap none;
    auto report = analysis::check_swept({.image = context.image(),
                                         .reader = context.reader(),
                                         .heap = none,
                                         .threads = context.target().threads(),
                                         .replayer = sweep->replayer(),
                                         .tracer = tracer ? *tracer : nullptr,
                                         .second = nullptr,
                                         .deep = false,
                                         .truncated = context.target().info().truncated},
                                        *sweep);
    sweep->let_go();
    return report ? std::move(report) : no_answer<analysis::CheckReport>(report.error());
  }

  Result<analysis::CheckReport> check_heap(const session::OpenHeap& opened,
                                           std::optional<Error>& no_tracer) {
    session::Context& context = *opened.context;
    const bool both = options_.engine == session::Engine::both;
    const auto tracer = !no_trace_ || both ? context.tracer() : Result<replay::Tracer*>(nullptr);
    if (!tracer && tracer.error().kind == ErrorKind::cancelled) {
      return std::unexpected(tracer.error());
    }
    no_tracer = tracer ? std::nullopt : std::optional(tracer.error());
    return analysis::check({.image = context.image(),
                            .reader = context.reader(),
                            .heap = *opened.heap,
                            .threads = context.target().threads(),
                            .replayer = *opened.replayer,
                            .tracer = !no_trace_ && tracer ? *tracer : nullptr,
                            .second = both && tracer ? *tracer : nullptr,
                            .deep = deep_,
                            .truncated = context.target().info().truncated});
  }

  Result<int> tell(const session::Context& context, analysis::CheckReport& report,
                   const std::optional<Error>& no_tracer, session::Surroundings& surroundings) {
    const bool both = options_.engine == session::Engine::both;
    if (const std::string others = context.other_runtimes(); !others.empty()) {
      report.complete = false;
      report.incomplete_because.push_back(others);
    }
    if (no_tracer) {
      report.complete = false;
      report.incomplete_because.push_back(
          fmt::format("{}: {}",
                      no_trace_ ? "the engines were not compared"
                                : "visits were not traced to their slots and owners",
                      no_tracer->reason) +
          (both ? "" : "; --no-trace checks without that"));
    }
    if (auto unread = unread_memory(context)) {
      report.complete = false;
      report.incomplete_because.push_back(std::move(*unread));
    }
    const report::Subject subject = context.subject();
    const std::string text =
        options_.json ? report::check_json(subject, report,
                                           {.engine = session::engine_name(options_.engine),
                                            .seconds = context.seconds()})
                      : report::check_text(subject, report, surroundings.style(options_.output));
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return status_of(report);
  }

  session::Options options_;
  bool no_trace_ = false;
  bool deep_ = false;
};

const Registration check_registration({
    .place = 10,
    .name = "check",
    .summary = "Check the reference counts of the garbage collector's objects",
    .help = R"(Replays the collector's own arithmetic (update_refs, subtract_refs) with the
target's own traverse functions, on a copy of its memory. Reports objects whose
gc_refs fall below zero with everything that visited them, visits of what their
container does not own, slots visited twice, traversals that write, fault or do
not end, damaged lists, objects that cannot be read, and how complete the check
was.

Examples:
  pygc check
  pygc check --json --output check.json
  pygc check --pid 4711    (a running process instead)
  pygc check --deep        (slots and owners of every object, not of a sample)
  pygc check --engine both (natively and in an emulator, compared)
  pygc check --help        (all options)

Status: 0 clean and complete, warnings at most, 1 findings, 2 usage or target
error, 3 incomplete without findings.)",
    .make = make<CheckCommand>,
});

} // namespace

} // namespace pygc::commands
