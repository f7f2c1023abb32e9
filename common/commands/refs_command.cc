// `pygc refs`: who refers to an object, or what it refers to.
#include "common/analysis/explore/reference_tree.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/refs_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class RefsCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    auto* to = app.add_option("--to", to_, "Who refers to this object")->type_name("ADDR");
    app.add_option("--from", from_, "What this object refers to")->type_name("ADDR")->excludes(to);
    app.add_option("--depth", question_.depth, "Follow references so many steps (default 1)")
        ->check(CLI::Range(1, 1000))
        ->type_name("K");
    app.add_option("--type", question_.type,
                   "Only objects of types with such a name: Session, app.*")
        ->type_name("PATTERN");
    app.add_option("--limit", question_.limit, "References shown (default 100)")
        ->check(CLI::Range(1, 10000000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (to_.empty() == from_.empty()) {
      return fail(ErrorKind::usage, 0, "pygc refs needs --to ADDR or --from ADDR");
    }
    question_.direction = from_.empty() ? analysis::Direction::to : analysis::Direction::from;
    const auto word = ObjectWord::read(surroundings.session, from_.empty() ? to_ : from_);
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
    question_.object = *address;
    auto tree = analysis::follow_references(
        context.image(), context.reader(), *opened->heap, *opened->replayer,
        [&context] { return context.tracer(); }, question_);
    if (!tree) {
      return std::unexpected(tree.error());
    }
    add_target_reasons(context, tree->incomplete_because);
    if (tree->rows.empty()) {
      tell_unknown_type(surroundings, context.reader(), *opened->heap, question_.type);
    }
    const std::string text = options_.json
                                 ? report::refs_json(context.subject(), *tree)
                                 : report::refs_text(*tree, surroundings.style(options_.output));
    return answer(context, surroundings, options_, text, tree->incomplete_because.empty());
  }

private:
  session::Options options_;
  std::string to_;
  std::string from_;
  analysis::ReferenceQuestion question_;
};

const Registration refs_registration({
    .place = 22,
    .name = "refs",
    .summary = "Show who refers to an object, or what it refers to",
    .help = R"(As gc.get_referrers() and gc.get_referents(), without running any Python
code: by traverse functions alone. References from C are no part of it.

Examples:
  pygc refs --to 0x7f52a554c040
  pygc refs --from sys.modules --depth 2
  pygc refs --help         (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<RefsCommand>,
});

} // namespace

} // namespace pygc::commands
