// `pygc audit`: every traverse function against the rules of the C API.
#include "common/analysis/audit/audit.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/audit_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pygc::commands {
namespace {

bool has_proven_violation(const analysis::AuditReport& report) {
  return std::ranges::any_of(report.functions, [](const analysis::AuditedFunction& function) {
    return std::ranges::any_of(function.violations, &analysis::Violation::proven);
  });
}

class AuditCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_flag("--deep", deep_, "Trace every object, not every module and a sample of each type");
    app.add_flag("--all", all_, "Show functions without violations too; JSON has all");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    const auto tracer = context.tracer();
    if (!tracer) {
      return std::unexpected(tracer.error());
    }
    auto report = analysis::audit({.image = context.image(),
                                   .reader = context.reader(),
                                   .heap = *opened->heap,
                                   .threads = context.target().threads(),
                                   .replayer = *opened->replayer,
                                   .tracer = *tracer,
                                   .deep = deep_,
                                   .truncated = context.target().info().truncated});
    if (!report) {
      return std::unexpected(report.error());
    }
    if (const std::string others = context.other_runtimes(); !others.empty()) {
      report->incomplete_because.push_back(others);
    }
    const std::string text =
        options_.json ? report::audit_json(context.subject(), *report)
                      : report::audit_text(*report, surroundings.style(options_.output), all_);
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    if (has_proven_violation(*report)) {
      return status_findings;
    }
    return report->incomplete_because.empty() ? status_clean : status_incomplete;
  }

private:
  session::Options options_;
  bool deep_ = false;
  bool all_ = false;
};

const Registration audit_registration({
    .place = 60,
    .name = "audit",
    .summary = "Hold every traverse function against the rules of the C API",
    .help = R"(Traces each tp_traverse and m_traverse that has instances, in an emulator, and
tells which of them: do not visit the type of an instance of a heap type; do not
visit a field that holds a counted reference; visit what the container does not
own, or one slot twice; write, change a reference count, allocate, fault, make a
system call, or do not end. What memory does not prove is called likely.

Examples:
  pygc audit
  pygc audit --deep --json --output audit.json

Status: 0 nothing proven and complete, 1 a proven violation, 2 usage or target
error, 3 incomplete.)",
    .make = make<AuditCommand>,
});

} // namespace

} // namespace pygc::commands
