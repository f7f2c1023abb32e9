// `pygc diff`: what has changed between two heaps.
#include "common/analysis/audit/audit.h"
#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/heap_diff.h"
#include "common/analysis/explore/leaks.h"
#include "common/analysis/explore/way_counts.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/diff_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pygc::commands {
namespace {

constexpr std::size_t way_limit = 1000; // of each heap

class DiffCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("old", old_, "The core to compare with")->required()->type_name("OLD");
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_option(
           "--type", type_,
           "And which objects of such types are new, and by which ways they are held: Session, "
           "app.*")
        ->type_name("PATTERN");
    app.add_flag("--leaks", leaks_, "And what pygc leaks finds");
    app.add_flag("--audit", audit_, "And which rules pygc audit finds broken");
    app.add_option("--top", top_, "Lines of each kind that the text shows (default 20)")
        ->check(CLI::Range(0, 1000000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    Look before;
    {
      session::Options options = options_;
      options.core = old_;
      options.pid.reset();
      session::Surroundings others = surroundings;
      others.kept = nullptr; // what is kept is the target that is looked at again
      auto looked = look(options, others, "of the old heap ");
      if (!looked) {
        return std::unexpected(looked.error());
      }
      before = std::move(looked->second);
    }
    const auto looked = look(options_, surroundings, "of the new heap ");
    if (!looked) {
      return std::unexpected(looked.error());
    }
    const auto& [context, now] = *looked;
    report::Differences differences{
        .old_heap = before.subject,
        .new_heap = now.subject,
        .types = analysis::compare_heaps(before.census, pid_of(before.subject), now.census,
                                         pid_of(now.subject)),
        .of_type = type_,
        .ways = compare(before.ways, now.ways),
        .leaks = compare(before.leaks, now.leaks),
        .violations = compare(before.violations, now.violations),
        .incomplete_because = before.reasons};
    differences.incomplete_because.insert(differences.incomplete_because.end(), now.reasons.begin(),
                                          now.reasons.end());
    const std::string text =
        options_.json ? report::diff_json(differences)
                      : report::diff_text(differences, surroundings.style(options_.output), top_);
    return answer(*context, surroundings, options_, text, differences.incomplete_because.empty());
  }

private:
  /// What is kept of a heap, and why it is not all.
  struct Look {
    report::Subject subject;
    analysis::HeapCensus census;
    // With the option that asks for them.
    std::optional<analysis::Counts> ways = {};
    std::optional<analysis::Counts> leaks = {};
    std::optional<analysis::Counts> violations = {};
    std::vector<std::string> reasons;
  };

  static std::optional<std::vector<analysis::CountChange>>
  compare(const std::optional<analysis::Counts>& before,
          const std::optional<analysis::Counts>& now) {
    return before && now ? std::optional(analysis::compare_counts(*before, *now)) : std::nullopt;
  }

  static std::int64_t pid_of(const report::Subject& subject) {
    return subject.target ? subject.target->pid : 0;
  }

  Result<std::pair<std::unique_ptr<session::Context>, Look>>
  look(const session::Options& options, session::Surroundings& surroundings,
       std::string_view which) const {
    auto context = session::Context::open_python(options, surroundings);
    if (!context) {
      return std::unexpected(context.error());
    }
    const auto heap = (*context)->heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    Look look{.subject = (*context)->subject(),
              .census = analysis::take_census((*context)->reader(), **heap, type_),
              .reasons = analysis::collection_lacks(**heap, {})};
    if (auto counted = count(**context, **heap, surroundings, look); !counted) {
      return std::unexpected(counted.error());
    }
    add_target_reasons(**context, look.reasons);
    for (std::string& reason : look.reasons) {
      reason.insert(0, which);
    }
    return std::pair(std::move(*context), std::move(look));
  }

  /// What the options ask for.
  Result<void> count(session::Context& context, const heap::Heap& heap,
                     const session::Surroundings& surroundings, Look& look) const {
    const auto add_reasons = [&look](const std::vector<std::string>& reasons) {
      for (const std::string& reason : reasons) {
        if (std::ranges::find(look.reasons, reason) == look.reasons.end()) {
          look.reasons.push_back(reason);
        }
      }
    };
    if (!type_.empty()) {
      const auto why = find_ways(context, heap, surroundings);
      if (!why) {
        return std::unexpected(why.error());
      }
      look.ways = analysis::count_ways(*why);
      add_reasons(why->incomplete_because);
      if (why->more) {
        add_reasons({fmt::format("the first {} ways alone were compared", way_limit)});
      }
    }
    if (leaks_) {
      const auto leaks = find_leaks(context, heap, surroundings);
      if (!leaks) {
        return std::unexpected(leaks.error());
      }
      look.leaks = analysis::count_leaks(*leaks);
      add_reasons(leaks->incomplete_because);
    }
    if (audit_) {
      const auto audited = audit(context, heap);
      if (!audited) {
        return std::unexpected(audited.error());
      }
      look.violations = analysis::count_violations(*audited);
      add_reasons(audited->incomplete_because);
    }
    return {};
  }

  static Result<analysis::Leaks> find_leaks(session::Context& context, const heap::Heap& heap,
                                            const session::Surroundings& surroundings) {
    const auto replayer = context.replayer();
    if (!replayer) {
      return std::unexpected(replayer.error());
    }
    return analysis::find_leaks(
        context.image(), context.reader(), heap, **replayer,
        {.threads = context.target().threads(),
         .cancelled = [&surroundings] { return surroundings.session.cancelled(); }});
  }

  static Result<analysis::AuditReport> audit(session::Context& context, const heap::Heap& heap) {
    const auto replayer = context.replayer();
    const auto tracer = replayer ? context.tracer() : std::unexpected(replayer.error());
    if (!tracer) {
      return std::unexpected(tracer.error());
    }
    return analysis::audit({.image = context.image(),
                            .reader = context.reader(),
                            .heap = heap,
                            .threads = context.target().threads(),
                            .replayer = **replayer,
                            .tracer = *tracer,
                            .truncated = context.target().info().truncated});
  }

  /// No way where there is no such object.
  Result<analysis::Why> find_ways(session::Context& context, const heap::Heap& heap,
                                  const session::Surroundings& surroundings) const {
    const auto replayer = context.replayer();
    if (!replayer) {
      return std::unexpected(replayer.error());
    }
    auto why = analysis::find_why(
        context.image(), context.reader(), heap, **replayer,
        {.type = type_,
         .limit = way_limit,
         .merge = true,
         .threads = context.target().threads(),
         .cancelled = [&surroundings] { return surroundings.session.cancelled(); },
         .tracer = [&context] { return context.tracer(); }});
    return why || why.error().kind != ErrorKind::not_found ? std::move(why)
                                                           : Result<analysis::Why>(analysis::Why{});
  }

  session::Options options_;
  std::string old_;
  std::string type_;
  bool leaks_ = false;
  bool audit_ = false;
  std::size_t top_ = 20;
};

const Registration diff_registration({
    .place = 29,
    .name = "diff",
    .summary = "Compare the tracked objects of two cores, by type",
    .help = R"(What a heap has more and less of than an older one: objects and bytes of each
type. Of two cores of one process also how many of them are new and freed, and
with --type which ones are new; with --type, by which ways the objects of a type
are held more and less; with --leaks and --audit, what those commands find in
one and not in the other.

Examples:
  pygc diff core.old core.new
  pygc diff core.old --pid 4711
  pygc diff core.old core.new --type Session --json
  pygc diff core.old core.new --leaks --audit
  pygc diff --help         (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<DiffCommand>,
});

} // namespace

} // namespace pygc::commands
