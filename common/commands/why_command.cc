// `pygc why`: what keeps an object alive.
#include "common/analysis/explore/why.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/why_view.h"
#include "common/session/open_heap.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::commands {
namespace {

class WhyCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("address", object_,
                   "The object: a number, $N of the last list, sys.stderr, "
                   "app.CACHE['key'][0], an expression of the debugger's")
        ->type_name("ADDR");
    declare_heap_options(app, options_);
    app.add_option("--type", type_, "All objects of types with such a name: Session, app.*, *Error")
        ->type_name("PATTERN");
    app.add_flag("--merge", merge_,
                 "One path to each object; those that are alike are folded into one, and counted");
    app.add_option("--not", not_,
                   "No path through this object, or this type's objects; may be repeated")
        ->allow_extra_args(false) // else it takes the core that follows
        ->type_name("ADDR|NAME");
    app.add_option("-n,--paths", limit_,
                   "Paths shown, each from another root (default 3; merged: 10)")
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
    std::vector<ObjectWord> not_words(not_.size());
    for (std::size_t i = 0; i < not_.size(); ++i) {
      if (is_pattern(not_[i])) {
        continue;
      }
      const auto read = ObjectWord::read(surroundings.session, not_[i]);
      if (!read) {
        return std::unexpected(read.error());
      }
      not_words[i] = *read;
    }
    const auto opened = session::open_heap(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = *opened->context;
    const auto object = word ? word->object(context, surroundings) : Result<Address>(Address{0});
    if (!object) {
      return std::unexpected(object.error());
    }
    analysis::WhyQuestion question{
        .object = *object,
        .type = type_,
        .limit = limit_.value_or(merge_ ? 10 : 3),
        .merge = merge_,
        .threads = context.target().threads(),
        .cancelled = [&surroundings] { return surroundings.session.cancelled(); },
        .tracer = [&context] { return context.tracer(); }};
    if (auto unknown = unknown_type(context.reader(), *opened->heap, type_)) {
      return fail(ErrorKind::not_found, 0, std::move(*unknown));
    }
    for (std::size_t i = 0; i < not_.size(); ++i) {
      auto unknown = unknown_type(context.reader(), *opened->heap, not_[i]);
      if (!unknown) {
        question.without_types.push_back(not_[i]);
        continue;
      }
      if (is_pattern(not_[i])) {
        return fail(ErrorKind::not_found, 0, std::move(*unknown));
      }
      const auto without = not_words[i].object(context, surroundings);
      if (!without) {
        return std::unexpected(without.error());
      }
      question.without.insert(*without);
    }
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
  /// What can be nothing else: "*Error".
  static bool is_pattern(std::string_view text) {
    return text.find_first_of("*?") != std::string_view::npos &&
           std::ranges::all_of(text, [](char c) {
             return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                    std::string_view("_.*?").contains(c);
           });
  }

  session::Options options_;
  std::string object_;
  std::string type_;
  bool merge_ = false;
  std::vector<std::string> not_;
  std::optional<std::size_t> limit_;
};

const Registration why_registration({
    .place = 23,
    .name = "why",
    .summary = "Show what keeps an object alive",
    .help = R"(The shortest paths to it from objects that something else than a tracked object
holds: frames, the interpreter, static variables, C stacks and registers.

Examples:
  pygc why 0x7f52a554c040
  pygc why "app.CACHE['key']"
  pygc why --type Session --merge
  pygc why sys.stderr --not sys.__dict__ --not cell
  pygc why --help          (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<WhyCommand>,
});

} // namespace

} // namespace pygc::commands
