// `pygc object`: what an object is, and where the references to it are.
#include "common/analysis/explore/object_facts.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/object_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class ObjectCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("address", object_,
                   "The object: a number, $N of the last list, sys.stderr, "
                   "app.CACHE['key'][0], an expression of the debugger's")
        ->required()
        ->type_name("ADDR");
    declare_heap_options(app, options_);
    app.add_option("--limit", limit_, "References shown each way (default 20)")
        ->check(CLI::Range(1, 10000000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto word = ObjectWord::read(surroundings.session, object_);
    if (!word) {
      return std::unexpected(word.error());
    }
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    const auto address = word->object(context, surroundings);
    if (!address) {
      return std::unexpected(address.error());
    }
    auto facts = analysis::examine_object(
        context.image(), context.reader(), *opened->heap, *opened->replayer,
        {.object = *address,
         .limit = limit_,
         .threads = context.target().threads(),
         .cancelled = [&surroundings] { return surroundings.session.cancelled(); },
         .tracer = [&context] { return context.tracer(); }});
    if (!facts) {
      return std::unexpected(facts.error());
    }
    add_target_reasons(context, facts->incomplete_because);
    const std::string text =
        options_.json ? report::object_facts_json(context.subject(), *facts)
                      : report::object_facts_text(*facts, surroundings.style(options_.output));
    return answer(context, surroundings, options_, text, facts->incomplete_because.empty());
  }

private:
  session::Options options_;
  std::string object_;
  std::size_t limit_ = 20;
};

const Registration object_registration({
    .place = 21,
    .name = "object",
    .summary = "Show what an object is, and where the references to it are",
    .help = R"(Its reference count against the visits of all containers, what else may hold it
(words of frames, static variables, stacks, registers), and what it refers to.

$3 is the third object of the last list that a command has shown of the target:
find, refs, why, garbage, leaks, dominators and check number the objects that
they list (100,000 at most); object itself shows details, and no new list. A
debugger has lists of its own, and its own value $3 is ($3) here. In a shell
quote it, or write %3.

Examples:
  pygc object 0x7f52a554c040
  pygc object sys.stderr
  pygc object --help       (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<ObjectCommand>,
});

} // namespace

} // namespace pygc::commands
