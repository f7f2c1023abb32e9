// `pygc gc-refs`: every object with its gc_refs, as a collection would compute it.
#include "common/analysis/check/gc_refs_list.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/heap/collected_set.h"
#include "common/report/gc_refs_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <optional>

namespace pygc::commands {
namespace {

class GcRefsCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    declare_engine_option(app, options_, false);
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
    if (context.target().info().truncated) {
      list->incomplete_because.emplace_back("the core file is truncated");
    }
    if (const auto traffic = context.target().traffic(); traffic && traffic->unreadable != 0) {
      list->incomplete_because.push_back(
          fmt::format("{} bytes of the process's memory could not be read", traffic->unreadable));
    }
    if (auto delivered = deliver(surroundings.session, options_.output,
                                 options_.json ? report::gc_refs_json(context.subject(), *list)
                                               : report::gc_refs_text(*list));
        !delivered) {
      return std::unexpected(delivered.error());
    }
    context.tell_other_runtimes();
    if (!list->incomplete_because.empty()) {
      surroundings.session.diagnostics("pygc: the list is incomplete; pygc check says why\n");
      return status_incomplete;
    }
    return status_clean;
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
