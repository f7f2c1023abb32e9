// `pygc diff`: what has changed between two heaps.
#include "common/analysis/explore/collection.h"
#include "common/analysis/explore/heap_diff.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/diff_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pygc::commands {
namespace {

class DiffCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("old", old_, "The core to compare with")->required()->type_name("OLD");
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_option("--top", top_, "Types that the text shows (default 20)")
        ->check(CLI::Range(0, 1000000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    std::vector<std::string> reasons;
    report::DiffSubjects subjects;
    analysis::HeapCensus old_census;
    {
      session::Options options = options_;
      options.core = old_;
      options.pid.reset();
      session::Surroundings others = surroundings;
      others.kept = nullptr; // what is kept is the target that is looked at again
      const auto opened = session::Context::open_python(options, others);
      if (!opened) {
        return std::unexpected(opened.error());
      }
      auto census = take(**opened, "of the old heap ", reasons);
      if (!census) {
        return std::unexpected(census.error());
      }
      old_census = std::move(*census);
      subjects.old_heap = (*opened)->subject();
    }
    const auto opened = session::Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = **opened;
    const auto census = take(context, "of the new heap ", reasons);
    if (!census) {
      return std::unexpected(census.error());
    }
    subjects.new_heap = context.subject();
    const analysis::HeapDiff diff = analysis::compare_heaps(old_census, pid_of(subjects.old_heap),
                                                            *census, pid_of(subjects.new_heap));
    const std::string text =
        options_.json ? report::diff_json(subjects, diff, reasons)
                      : report::diff_text(diff, surroundings.style(options_.output), top_, reasons);
    return answer(context, surroundings, options_, text, reasons.empty());
  }

private:
  static std::int64_t pid_of(const report::Subject& subject) {
    return subject.target ? subject.target->pid : 0;
  }

  static Result<analysis::HeapCensus> take(session::Context& context, std::string_view which,
                                           std::vector<std::string>& reasons) {
    const auto heap = context.heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    std::vector<std::string> lacks = analysis::collection_lacks(**heap, {});
    add_target_reasons(context, lacks);
    for (const std::string& lack : lacks) {
      reasons.push_back(std::string(which) + lack);
    }
    return analysis::take_census(context.reader(), **heap);
  }

  session::Options options_;
  std::string old_;
  std::size_t top_ = 20;
};

const Registration registration({
    .place = 29,
    .name = "diff",
    .summary = "Compare the tracked objects of two cores, by type",
    .help = R"(What a heap has more and less of than an older one: objects and bytes of each
type. Of two cores of one process also how many of them are new and freed.

Examples:
  pygc diff core.old core.new
  pygc diff core.old --pid 4711
  pygc diff core.old core.new --json
  pygc diff --help         (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<DiffCommand>,
});

} // namespace

} // namespace pygc::commands
