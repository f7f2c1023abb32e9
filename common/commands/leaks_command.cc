// `pygc leaks`: references that nothing in memory accounts for.
#include "common/analysis/explore/leaks.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/leaks_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class LeaksCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    app.add_option("--type", type_, "Only objects of types with such a name: Session, app.*")
        ->type_name("PATTERN");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    auto leaks = analysis::find_leaks(
        context.image(), context.reader(), *opened->heap, *opened->replayer,
        {.type = type_, .threads = context.target().threads(), .cancelled = [&surroundings] {
           return surroundings.session.cancelled();
         }});
    if (!leaks) {
      return std::unexpected(leaks.error());
    }
    add_target_reasons(context, leaks->incomplete_because);
    if (!leaks->incomplete_because.empty()) {
      leaks->groups.clear();
    }
    const std::string text = options_.json
                                 ? report::leaks_json(context.subject(), *leaks)
                                 : report::leaks_text(*leaks, surroundings.style(options_.output));
    tell_unknown_type(surroundings, context.reader(), *opened->heap, type_);
    auto status = answer(context, surroundings, options_, text, leaks->incomplete_because.empty());
    return status && leaks->proven() ? Result<int>(status_findings) : status;
  }

private:
  session::Options options_;
  std::string type_;
};

const Registration leaks_registration({
    .place = 26,
    .name = "leaks",
    .summary = "Find references that nothing in memory accounts for",
    .help = R"(An object whose reference count is higher than all visits of it and all words
of memory that could point to it has leaked (refleak); so have objects that
only an object of a type without traverse function holds, while they hold it
(nogc_holder).

Examples:
  pygc leaks
  pygc leaks --type dict --json
  pygc leaks --help        (all options)

Status: 0 none proven, 1 a leak is proven, 2 usage or target error,
3 incomplete: nothing is called a leak then.)",
    .make = make<LeaksCommand>,
});

} // namespace

} // namespace pygc::commands
