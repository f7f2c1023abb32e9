// `pygc gc-refs`: every object with its gc_refs, as a collection would compute it.
#include "common/analysis/check/gc_refs_list.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/heap/collected_set.h"
#include "common/report/gc_refs_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace pygc::commands {
namespace {

class GcRefsCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    app.add_option("--generation", generation_,
                   "Replay a collection of this generation and the younger ones (default: all)")
        ->check(CLI::Range(0, 2))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    auto list =
        analysis::list_gc_refs(context.reader(), *opened->heap, *opened->replayer, generation_);
    if (!list) {
      return std::unexpected(list.error());
    }
    add_target_reasons(context, list->incomplete_because);
    const std::string text = options_.json ? report::gc_refs_json(context.subject(), *list)
                                           : report::gc_refs_text(*list);
    const bool complete = list->incomplete_because.empty();
    auto status = answer(context, surroundings, options_, text, complete);
    if (status && !complete) {
      surroundings.session.diagnostics("pygc: the list is incomplete; pygc check says why\n");
    }
    return status;
  }

private:
  session::Options options_;
  std::optional<std::size_t> generation_;
};

const Registration registration({
    .place = 20,
    .name = "gc-refs",
    .summary = "List gc_refs, reference count and type of every tracked object",
    .help = R"(Writes one line for each object, in the collector's order:
  0xADDRESS gc_refs refcount type

Examples:
  pygc gc-refs --output refs.txt
  pygc gc-refs --help      (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<GcRefsCommand>,
});

} // namespace

} // namespace pygc::commands
