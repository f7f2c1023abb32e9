// `pygc why`: what keeps an object alive.
#include "common/analysis/explore/why.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/why_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace pygc::commands {
namespace {

class WhyCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("address", object_,
                   "The object: a number, sys.stderr, app.CACHE['key'][0], an expression of the "
                   "debugger's")
        ->type_name("ADDR");
    declare_heap_options(app, options_);
    app.add_option("--type", type_, "All objects of this type, as gc-refs names it")
        ->type_name("NAME");
    app.add_option("-n,--paths", limit_, "Paths shown, each from another root (default 3)")
        ->check(CLI::Range(1, 10000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    std::optional<ObjectWord> word;
    if (type_.empty()) {
      const auto read = ObjectWord::read(surroundings.session, object_);
      if (!read) {
        return std::unexpected(read.error());
      }
      word = *read;
    } else if (options_.core.empty()) {
      options_.core = object_; // the only word is the core
    } else {
      return fail(ErrorKind::usage, 0, "pygc why takes an ADDR or --type, not both");
    }
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    const auto object =
        word ? word->object(context, surroundings.session) : Result<Address>(Address{0});
    if (!object) {
      return std::unexpected(object.error());
    }
    const analysis::WhyQuestion question{
        .object = *object,
        .type = type_,
        .limit = limit_,
        .threads = context.target().threads(),
        .cancelled = [&surroundings] { return surroundings.session.cancelled(); },
        .tracer = [&context] { return context.tracer(); }};
    auto why = analysis::find_why(context.image(), context.reader(), *opened->heap,
                                  *opened->replayer, question);
    if (!why) {
      return std::unexpected(why.error());
    }
    add_target_reasons(context, why->incomplete_because);
    const std::string text = options_.json
                                 ? report::why_json(context.subject(), *why)
                                 : report::why_text(*why, surroundings.style(options_.output));
    return answer(context, surroundings, options_, text, why->incomplete_because.empty());
  }

private:
  session::Options options_;
  std::string object_;
  std::string type_;
  std::size_t limit_ = 3;
};

const Registration registration({
    .place = 23,
    .name = "why",
    .summary = "Show what keeps an object alive",
    .help = R"(The shortest paths to it from objects that something else than a tracked object
holds: frames, the interpreter, static variables, C stacks and registers.

Examples:
  pygc why 0x7f52a554c040
  pygc why "app.CACHE['key']"
  pygc why --type Session -n 10
  pygc why --help          (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<WhyCommand>,
});

} // namespace

} // namespace pygc::commands
