// `pygc garbage`: what the next collection would find unreachable.
#include "common/analysis/explore/garbage.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/garbage_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace pygc::commands {
namespace {

class GarbageCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    app.add_option("--generation", generation_,
                   "Of a collection of this generation and the younger ones (default: all)")
        ->check(CLI::Range(0, 2))
        ->type_name("N");
    app.add_flag("--objects", objects_, "List every unreachable object");
    app.add_option("--top", top_, "Types and kinds of cycles shown (default 10)")
        ->check(CLI::Range(0, 100000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    auto garbage = analysis::find_garbage({.image = context.image(),
                                           .reader = context.reader(),
                                           .heap = *opened->heap,
                                           .replayer = *opened->replayer,
                                           .tracer = [&context] { return context.tracer(); }},
                                          generation_);
    if (!garbage) {
      return std::unexpected(garbage.error());
    }
    add_target_reasons(context, garbage->incomplete_because);
    const std::string text =
        options_.json
            ? report::garbage_json(context.subject(), *garbage, objects_)
            : report::garbage_text(*garbage, surroundings.style(options_.output), top_, objects_);
    return answer(context, surroundings, options_, text, garbage->incomplete_because.empty());
  }

private:
  session::Options options_;
  std::optional<std::size_t> generation_;
  bool objects_ = false;
  std::size_t top_ = 10;
};

const Registration garbage_registration({
    .place = 24,
    .name = "garbage",
    .summary = "Show what the next collection would find unreachable",
    .help = R"(Replays the collection: its cycles, by type, with the finalizers and callbacks
of weak references that it would call, and what it could not free. Nothing of
that is run. What runs, in the emulator, is tp_clear: a cycle that it leaves as
it is stays after each collection.

Examples:
  pygc garbage
  pygc garbage --objects --json
  pygc garbage --help      (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<GarbageCommand>,
});

} // namespace

} // namespace pygc::commands
