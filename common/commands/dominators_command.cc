// `pygc dominators`: which objects keep the most alive.
#include "common/analysis/explore/dominators.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/dominators_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <system_error>

namespace pygc::commands {
namespace {

class DominatorsCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("address", object_,
                   "What this object retains: a number, $N of the last list, a name, an "
                   "expression of the debugger's")
        ->type_name("ADDR");
    declare_heap_options(app, options_);
    app.add_option("--top", question_.limit, "Objects, types and steps shown (default 20)")
        ->check(CLI::Range(1, 1000000))
        ->type_name("N");
    app.add_option("--min", question_.min, "Only what comes to so many bytes: 4096, 4k, 1M")
        ->transform(CLI::AsSizeValue(false))
        ->type_name("SIZE");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    const auto taken = take_word(surroundings);
    if (!taken) {
      return std::unexpected(taken.error());
    }
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    if (const std::optional<ObjectWord>& word = *taken) {
      const auto object = word->object(context, surroundings);
      if (!object) {
        return std::unexpected(object.error());
      }
      question_.object = *object;
    }
    auto survey = analysis::survey_dominators(context.image(), context.reader(), *opened->heap,
                                              *opened->replayer, question_);
    if (!survey) {
      return std::unexpected(survey.error());
    }
    add_target_reasons(context, survey->incomplete_because);
    const std::string text =
        options_.json ? report::dominators_json(context.subject(), *survey)
                      : report::dominators_text(*survey, surroundings.style(options_.output),
                                                question_.limit);
    return answer(context, surroundings, options_, text, survey->incomplete_because.empty());
  }

private:
  /// The first word is the core when it is the only one and a file, else an object.
  Result<std::optional<ObjectWord>> take_word(session::Surroundings& surroundings) {
    if (object_.empty()) {
      return std::nullopt;
    }
    std::error_code unknown;
    if (options_.core.empty() && !options_.pid &&
        (object_ == "-" || std::filesystem::exists(object_, unknown))) {
      options_.core = object_;
      return std::nullopt;
    }
    const auto word = ObjectWord::read(surroundings.session, object_);
    const bool no_target = options_.core.empty() && !options_.pid && !surroundings.open_target;
    if (!word || no_target) {
      return fail(ErrorKind::usage, 0,
                  fmt::format("'{}' is no object and no core file{}", object_,
                              word ? "" : ": " + word.error().reason));
    }
    return *word;
  }

  session::Options options_;
  std::string object_;
  analysis::DominatorQuestion question_{.limit = 20};
};

const Registration dominators_registration({
    .place = 28,
    .name = "dominators",
    .summary = "Show which objects keep the most memory alive",
    .help = R"(The objects with which most would be freed; with ADDR what that object keeps
alive, by type, and which objects alone hold it.

Examples:
  pygc dominators
  pygc dominators --min 1M --json
  pygc dominators sys.modules
  pygc dominators --help   (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<DominatorsCommand>,
});

} // namespace

} // namespace pygc::commands
