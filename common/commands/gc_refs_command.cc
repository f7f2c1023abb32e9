#include "common/commands/gc_refs_command.h"

#include "common/analysis/facts/collected_set.h"
#include "common/commands/open_heap.h"
#include "common/commands/output_sink.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iterator>

namespace pygc::commands {
namespace {

class GcRefsCommand final : public Command {
public:
  const char* name() const override { return "gc-refs"; }

  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_, false);
    declare_engine_option(app, options_, false);
    app.add_option("--generation", generation_,
                   "Replay a collection of this generation and the younger ones (default: all)")
        ->check(CLI::Range(0, 2))
        ->type_name("N");
  }

  Result<int> run(Surroundings& surroundings) override {
    const auto opened = open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    Context& context = *opened->context;
    bool complete = opened->heap->corruptions.empty() && !context.target().info().truncated;
    fmt::memory_buffer text;
    const std::vector<Address> stale = analysis::stale_collecting(*opened->heap);
    for (std::size_t i = 0; i < context.runtime().interpreters.size(); ++i) {
      const auto set = collected(context, *opened->heap, i);
      if (set.objects.empty()) {
        continue;
      }
      const auto result = opened->replayer->run({.objects = set.objects,
                                                 .refcounts = set.refcounts,
                                                 .watched = {},
                                                 .clear_collecting = stale});
      if (!result) {
        return std::unexpected(result.error());
      }
      complete = complete && result->traversed == set.objects.size() && result->unknown.empty();
      for (std::size_t k = 0; k < set.objects.size(); ++k) {
        fmt::format_to(std::back_inserter(text), "{:#x} {} {} {}\n", set.objects[k],
                       result->gc_refs[k], set.refcounts[k],
                       context.reader().type(opened->heap->types[set.heap_index[k]]).name);
      }
    }
    if (const auto traffic = context.target().traffic(); traffic && traffic->unreadable != 0) {
      complete = false;
    }
    if (auto delivered = deliver(surroundings.session, options_.output,
                                 std::string_view(text.data(), text.size()));
        !delivered) {
      return std::unexpected(delivered.error());
    }
    context.tell_other_runtimes();
    if (!complete) {
      surroundings.session.diagnostics("pygc: the list is incomplete; pygc check says why\n");
      return status_incomplete;
    }
    return status_clean;
  }

private:
  /// In the middle of a collection: the objects which it takes. Else those of a full one.
  analysis::CollectedSet collected(const Context& context, const heap::Heap& heap,
                                   std::size_t interpreter) const {
    const auto& runtime = context.runtime();
    if (generation_ < 0) {
      if (const auto* list = analysis::list_in_progress(runtime, heap, interpreter)) {
        return analysis::collect_list(runtime, heap, *list);
      }
      return analysis::collect_generations(runtime, heap, interpreter, SIZE_MAX);
    }
    return analysis::collect_generations(runtime, heap, interpreter,
                                         static_cast<std::size_t>(generation_));
  }

  Options options_;
  int generation_ = -1;
};

} // namespace

std::unique_ptr<Command> make_gc_refs_command() {
  return std::make_unique<GcRefsCommand>();
}

} // namespace pygc::commands
