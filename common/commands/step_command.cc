// `pygc step`: through subtract_refs of a live process.
#include "common/analysis/step/subtract_goal.h"
#include "common/base/numbers.h"
#include "common/commands/breakpoint_walk.h"
#include "common/commands/open_collection.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/commands/step_actions.h"
#include "common/commands/step_words.h"
#include "common/commands/watchpoint_choice.h"
#include "common/report/step_view.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

class StepCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("to", words_, "arm, next [N], visit [N], to ADDR or until-negative")
        ->type_name("WHERE");
    app.add_option("--core", options_.core, "Core file that was taken inside a collection")
        ->type_name("FILE");
    declare_file_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_option("--limit", report_.limit, "Objects listed of a kind (default 20)")
        ->check(CLI::Range(0, 1000000))
        ->type_name("N");
    app.add_flag("--objects", report_.references,
                 "With --json: list the stored gc_refs of every object of the collection");
    declare_watchpoint_option(app, asks_watchpoints_);
    app.add_option("--stage", stage_)->group("");
    app.add_option("--object", object_)->group("");
    app.add_option("--value", gc_refs_)->group("");
    app.add_option("--stop", stop_)->group("");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (auto parsed = parse(); !parsed) {
      return std::unexpected(parsed.error());
    }
    if (verb_ != Verb::none && (!surroundings.controls || !options_.core.empty())) {
      return fail(ErrorKind::usage, 0,
                  fmt::format("pygc step {} needs a live process in GDB or LLDB", words_.front()));
    }
    if (verb_ == Verb::to && stage_.empty()) {
      const auto address = surroundings.session.evaluate(argument_);
      if (!address) {
        return std::unexpected(address.error());
      }
      object_ = *address;
    }
    auto open = open_collection(options_, surroundings);
    if (!open) {
      return std::unexpected(open.error());
    }
    if (verb_ == Verb::none || stage_ == stage::reached || stage_ == stage::hop) {
      const auto why = stop_.empty() ? Result<std::string>() : broken_off(surroundings, stop_);
      if (!why) {
        return std::unexpected(why.error());
      }
      if (stage_ != stage::hop) {
        return report(*open, surroundings, *why);
      }
      if (!why->empty() || !open->located()) {
        return stay(*open, surroundings, why->empty() ? "the process is in no loop" : *why);
      }
    }
    if (verb_ != Verb::none) {
      watchpoints_ = relies_on_watchpoints(*open, asks_watchpoints_);
    }
    if (verb_ == Verb::arm) {
      return arm(*open, surroundings);
    }
    if (!open->located()) {
      return begin(*open, surroundings);
    }
    if (verb_ == Verb::next || verb_ == Verb::to) {
      return go_to_container(*open, surroundings);
    }
    return go_to_decrement(*open, surroundings);
  }

private:
  Result<void> parse() {
    const auto verb = verb_named(words_.empty() ? "" : words_.front());
    const bool counts = verb == Verb::next || verb == Verb::visit;
    const std::size_t most = counts || verb == Verb::to ? 2 : 1;
    if (!verb || words_.size() > most || (verb == Verb::to && words_.size() < 2)) {
      return fail(ErrorKind::usage, 0,
                  "usage: pygc step [arm | next [N] | visit [N] | to ADDR | until-negative]");
    }
    verb_ = *verb;
    argument_ = words_.size() == 2 ? words_[1] : "";
    if (counts && !argument_.empty()) {
      count_ = number_in<std::uint64_t>(argument_).value_or(0);
      if (count_ == 0) {
        return fail(ErrorKind::usage, 0, fmt::format("'{}' is no number of steps", argument_));
      }
    }
    return {};
  }

  /// The last word of a command: where the process is. Status 3 when it was to be somewhere else.
  Result<int> report(OpenCollection& open, session::Surroundings& surroundings,
                     const std::string& why = {}) {
    analysis::StepReport report;
    if (open.collection != nullptr) {
      const auto heap = open.context->heap();
      if (!heap) {
        return std::unexpected(heap.error());
      }
      analysis::Explainer explainer(open.context->image(), open.context->reader(), **heap);
      auto made =
          analysis::make_step_report(*open.collection, open.context->image(), explainer, report_);
      if (!made) {
        return std::unexpected(made.error());
      }
      report = std::move(*made);
    }
    if (verb_ != Verb::none) {
      report.reached = has_reached(open, report);
      if (!*report.reached && !why.empty()) {
        surroundings.session.diagnostics(fmt::format("pygc: {}\n", why));
      }
    }
    const std::string text = options_.json
                                 ? report::step_json(open.context->subject(), report)
                                 : report::step_text(report, surroundings.style(options_.output));
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return report::shortfalls(report).empty() ? status_clean : status_incomplete;
  }

  /// Whether the process has stopped where the command wanted it.
  bool has_reached(const OpenCollection& open, const analysis::StepReport& report) const {
    if (!report.located || stage_ != stage::reached) {
      return false;
    }
    if ((verb_ == Verb::next || verb_ == Verb::arm) && !open.collection->has_links()) {
      return !report.inside; // objects may have been left out
    }
    if (verb_ == Verb::next || verb_ == Verb::to) {
      const auto wanted =
          object_ == 0
              ? std::optional(static_cast<std::uint32_t>(open.collection->set().objects.size()))
              : open.collection->index_of(object_);
      return wanted == open.collection->position()->container &&
             (!report.inside || verb_ == Verb::to);
    }
    if (verb_ == Verb::arm) {
      return report.traversed == 0 && !report.inside;
    }
    const std::optional<analysis::StepVisit>& last = report.last_visit;
    const std::optional<analysis::StepVisit>& next = report.next_visit;
    return (last && last->object.address == object_) ||
           (next && next->object.address == object_ && next->gc_refs < 0);
  }

  /// Nowhere to go: says why, and where the process is.
  Result<int> stay(OpenCollection& open, session::Surroundings& surroundings,
                   const std::string& why) {
    surroundings.session.diagnostics(fmt::format("pygc: {}\n", why));
    return report(open, surroundings);
  }

  Result<int> arm(OpenCollection& open, session::Surroundings& surroundings) {
    if (open.located() && stage_ != stage::leaving) {
      const auto all = static_cast<std::uint32_t>(open.collection->set().objects.size());
      go_on(surroundings,
            watchpoints_ ? to_container(*open.collection, all) : out_of_loop(*open.collection),
            {.stage = stage::leaving});
      return status_clean;
    }
    const auto loops = subtract_loops(*open.context);
    if (!loops) {
      return std::unexpected(loops.error());
    }
    go_on(surroundings, to_collection(*loops), {.stage = stage::reached});
    return status_clean;
  }

  /// For a command that needs a collection when the process is in none.
  Result<int> begin(OpenCollection& open, session::Surroundings& surroundings) {
    if (!stage_.empty()) {
      return stay(open, surroundings, "the process stopped before a collection was reached");
    }
    const auto loops = subtract_loops(*open.context);
    if (!loops) {
      return std::unexpected(loops.error());
    }
    if (verb_ == Verb::next || verb_ == Verb::visit) {
      return fail(ErrorKind::usage, 0,
                  "the selected thread is not where a collection traverses: pygc step arm goes to "
                  "the next collection");
    }
    go_on(surroundings, to_collection(*loops), {.stage = stage::armed, .object = object_});
    return status_clean;
  }

  Result<int> go_to_container(OpenCollection& open, session::Surroundings& surroundings) {
    const analysis::SubtractPosition& position = *open.collection->position();
    const auto all = static_cast<std::uint32_t>(open.collection->set().objects.size());
    std::uint32_t wanted = 0;
    if (stage_ == stage::hop && verb_ == Verb::next) {
      wanted = object_ == 0 ? all : open.collection->index_of(object_).value_or(all);
    } else if (verb_ == Verb::to) {
      const auto index = open.collection->index_of(object_);
      if (!index) {
        return stay(
            open, surroundings,
            fmt::format("{:#x} is none of the {} containers of this collection", object_, all));
      }
      if (*index == position.container) {
        stage_ = stage::reached; // its turn is next, or has come
        return report(open, surroundings);
      }
      wanted = *index;
    } else {
      const std::uint64_t left = all - position.container;
      if (count_ > left) {
        return stay(open, surroundings,
                    left == 0
                        ? "no container is left in this collection"
                        : fmt::format("only {} containers are left in this collection", left));
      }
      wanted = position.container + static_cast<std::uint32_t>(count_);
    }
    if (verb_ == Verb::next && !open.collection->has_links() && wanted < all) {
      go_on(surroundings, to_hop(*open.collection, {.passes = count_ - 1}),
            {.stage = stage::reached});
      return status_clean;
    }
    if (wanted < position.container) {
      return stay(open, surroundings,
                  fmt::format("{:#x} has been traversed already in this collection", object_));
    }
    const WalkStep walk = watchpoints_ ? WalkStep{to_container(*open.collection, wanted), true}
                                       : walk_to_container(open, surroundings, wanted);
    go_on(surroundings, walk.actions,
          {.stage = walk.last ? stage::reached : stage::hop,
           .object = wanted < all ? open.collection->set().objects[heap::SetIndex(wanted)] : 0});
    return status_clean;
  }

  Result<std::optional<analysis::SubtractGoal>>
  find_goal(const analysis::RunningCollection& collection, std::string& problem) const {
    if (stage_ == stage::container) {
      problem = "the process stopped before the container was reached";
      const auto object = collection.index_of(object_);
      if (!object) {
        return std::nullopt;
      }
      const auto goals =
          analysis::decrements_to_come(*collection.position(), collection.replay(), *object);
      if (!goals) {
        return std::unexpected(goals.error());
      }
      std::optional<analysis::SubtractGoal> refused = goals->refused;
      if (refused && refused->container != collection.position()->container) {
        refused.reset();
      }
      return refused;
    }
    if (stage_ == stage::hop) {
      problem = "the decrement has been made already";
      const auto object = collection.index_of(object_);
      if (!object) {
        return std::nullopt;
      }
      return analysis::decrement_to(*collection.position(), collection.replay(), *object, gc_refs_);
    }
    if (verb_ == Verb::visit) {
      std::uint64_t left = 0;
      auto goal = analysis::nth_decrement(collection.set(), *collection.position(),
                                          collection.replay(), count_, left);
      problem = left == 0
                    ? "no visit that counts is left in this collection"
                    : fmt::format("only {} visits that count are left in this collection", left);
      return goal;
    }
    problem = "no gc_refs becomes negative in this collection";
    return analysis::first_negative(collection.set(), *collection.position(), collection.replay());
  }

  Result<int> go_to_decrement(OpenCollection& open, session::Surroundings& surroundings) {
    const analysis::RunningCollection& collection = *open.collection;
    std::string problem;
    const auto found = find_goal(collection, problem);
    if (!found) {
      return std::unexpected(found.error());
    }
    const std::optional<analysis::SubtractGoal> goal = found.value();
    if (!goal) {
      return stay(open, surroundings, problem);
    }
    const Address object = collection.set().objects[heap::SetIndex(goal->object)];
    if (!watchpoints_) {
      return walk_to(open, surroundings, *goal);
    }
    if (!goal->spent) {
      go_on(surroundings, to_decrement(collection, *goal),
            {.stage = stage::reached, .object = object});
    } else if (goal->container != collection.position()->container) {
      go_on(surroundings, to_container(collection, goal->container),
            {.stage = stage::container, .object = object});
    } else {
      go_on(surroundings, to_refused_decrement(collection, *goal),
            {.stage = stage::reached, .object = object});
    }
    return status_clean;
  }

  Result<int> walk_to(OpenCollection& open, session::Surroundings& surroundings,
                      const analysis::SubtractGoal& goal) {
    const auto walk = walk_to_decrement(open, surroundings, goal, true);
    if (!walk) {
      return std::unexpected(walk.error());
    }
    object_ = open.collection->set().objects[heap::SetIndex(goal.object)];
    if (walk->actions.empty()) {
      stage_ = stage::reached;
      return report(open, surroundings);
    }
    const std::int64_t left = open.collection->position()->stored[goal.object] -
                              static_cast<std::int64_t>(goal.earlier) - 1;
    go_on(surroundings, walk->actions,
          {.stage = walk->last ? stage::reached : stage::hop, .object = object_, .gc_refs = left});
    return status_clean;
  }

  session::Options options_;
  analysis::StepReportOptions report_;
  std::vector<std::string> words_;
  Verb verb_ = Verb::none;
  std::string argument_;
  std::uint64_t count_ = 1;
  std::string stage_;
  Address object_ = 0;
  std::int64_t gc_refs_ = 0; // of it, where it is to go
  std::string stop_;         // an expression: what has stopped the process
  bool asks_watchpoints_ = false;
  bool watchpoints_ = false;
};

const Registration step_registration({
    .place = 70,
    .name = "step",
    .summary = "Step through subtract_refs of a running collection, container by container",
    .help = R"(Of a live process in GDB or LLDB. Alone it tells where the selected thread is
inside a collection: the container being traversed, what it has visited so far,
whose gc_refs changed, the next container, and each stored gc_refs that is not
what it should be. The other forms let the process go on to

  arm               the next collection's subtract_refs
  next [N]          the next container, or the Nth from here
  visit [N]         the next visit that changes a gc_refs, or the Nth
  to ADDR           the traversal of the container at ADDR
  until-negative    the visit that makes a gc_refs negative

with one hardware watchpoint or breakpoint, which is removed then.

Examples:
  pygc step arm
  pygc step next
  pygc step until-negative
  pygc step --core CORE    (of a core that was taken inside a collection)
  pygc step --help         (all options)

Status: 0 done, 2 usage or target error, 3 stopped elsewhere before, or nothing
to go to.)",
    .make = make<StepCommand>,
});

} // namespace

} // namespace pygc::commands
