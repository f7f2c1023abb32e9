// `pygc types`: the tracked objects by type.
#include "common/analysis/explore/type_survey.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/types_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace pygc::commands {
namespace {

using analysis::TypeOrder;

const std::map<std::string, TypeOrder> orders = {{"objects", TypeOrder::objects},
                                                 {"size", TypeOrder::size},
                                                 {"retained", TypeOrder::retained},
                                                 {"name", TypeOrder::name}};

class TypesCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    app.add_flag("--retained", question_.retained, "And what would be freed with them");
    app.add_flag("--garbage", question_.garbage,
                 "Only what the next full collection would find unreachable");
    app.add_option("--type", question_.type,
                   "Only objects of types with such a name: Session, app.*")
        ->type_name("PATTERN");
    app.add_option("--min", question_.min, "Only types of so many bytes: 4096, 4k, 1M")
        ->transform(CLI::AsSizeValue(false))
        ->type_name("SIZE");
    app.add_option("--sort", order_, "objects, size, retained or name (default size)")
        ->check(CLI::IsMember(orders))
        ->type_name("KEY");
    app.add_option("--top", top_, "Types that the text shows (default 20)")
        ->check(CLI::Range(0, 1000000))
        ->type_name("N");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (order_ == "retained" && !question_.retained) {
      return fail(ErrorKind::usage, 0, "--sort retained needs --retained");
    }
    if (order_.empty()) {
      question_.order = question_.retained ? TypeOrder::retained : TypeOrder::size;
    } else {
      question_.order = orders.at(order_);
    }
    const auto opened = session::Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = **opened;
    question_.replayer = [&context] { return context.replayer(); };
    const auto heap = context.heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    auto survey = analysis::survey_types(context.reader(), **heap, question_);
    if (!survey) {
      return std::unexpected(survey.error());
    }
    add_target_reasons(context, survey->incomplete_because);
    tell_unknown_type(surroundings, context.reader(), **heap, question_.type);
    const std::string text =
        options_.json ? report::types_json(context.subject(), *survey)
                      : report::types_text(*survey, surroundings.style(options_.output), top_);
    return answer(context, surroundings, options_, text, survey->incomplete_because.empty());
  }

private:
  session::Options options_;
  analysis::TypeSurveyQuestion question_;
  std::string order_;
  std::size_t top_ = 20;
};

const Registration types_registration({
    .place = 27,
    .name = "types",
    .summary = "Count the tracked objects by type, with their sizes",
    .help = R"(Objects and bytes of each type, as gc.get_objects() and sys.getsizeof() give
them; with --retained what would be freed with all objects of the type.

Examples:
  pygc types
  pygc types --retained --min 1M
  pygc types --garbage --sort objects --json
  pygc types --help        (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<TypesCommand>,
});

} // namespace

} // namespace pygc::commands
