// `pygc gc-refs`: every object with its gc_refs, as a collection would compute it.
#include "common/analysis/check/gc_refs_list.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/gc_refs_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

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
    auto context = session::Context::open_python(options_, surroundings);
    if (!context) {
      return std::unexpected(context.error());
    }
    if (!generation_) {
      const auto told = tell_by_sweep(**context, surroundings);
      if (!told) {
        return std::unexpected(told.error());
      }
      if (const std::optional<int>& status = *told) {
        return *status;
      }
    }
    const auto opened = session::open_heap(std::move(*context));
    if (!opened) {
      return std::unexpected(opened.error());
    }
    auto list = analysis::list_gc_refs(opened->context->reader(), *opened->heap, *opened->replayer,
                                       generation_);
    if (!list) {
      return std::unexpected(list.error());
    }
    return tell(*opened->context, **list, surroundings);
  }

private:
  /// Nothing: that cannot do, and nothing was told.
  Result<std::optional<int>> tell_by_sweep(session::Context& context,
                                           session::Surroundings& surroundings) {
    const auto sweep = context.sweep();
    if (!sweep) { // the other way meets with the same, if it lasts
      return no_answer<int>(sweep.error());
    }
    if (*sweep == nullptr) {
      return std::nullopt;
    }
    const auto list = analysis::list_swept_gc_refs(context.reader(), **sweep);
    if (!list) {
      return no_answer<int>(list.error());
    }
    if (*list == nullptr) {
      return std::nullopt;
    }
    return tell(context, **list, surroundings);
  }

  Result<int> tell(session::Context& context, analysis::GcRefsList& list,
                   session::Surroundings& surroundings) {
    add_target_reasons(context, list.incomplete_because);
    return stream_answer(context, surroundings, options_, list.incomplete_because.empty(),
                         [&](const report::Write& write) {
                           return options_.json
                                      ? report::write_gc_refs_json(context.subject(), list, write)
                                      : report::write_gc_refs_text(list, write);
                         });
  }

  session::Options options_;
  std::optional<std::size_t> generation_;
};

const Registration gc_refs_registration({
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
