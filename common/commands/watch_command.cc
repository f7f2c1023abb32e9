// `pygc watch`: the decrements of one object's gc_refs in a live process.
#include "common/analysis/step/step_report.h"
#include "common/analysis/step/subtract_goal.h"
#include "common/base/numbers.h"
#include "common/commands/breakpoint_walk.h"
#include "common/commands/open_collection.h"
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/commands/step_actions.h"
#include "common/commands/watchpoint_choice.h"
#include "common/report/watch_view.h"

#include <CLI/CLI.hpp>
#include <array>
#include <fmt/format.h>

namespace pygc::commands {
namespace {

using report::WatchHit;

/// How far the command has got, in the runs of it that follow each other.
namespace stage {
constexpr const char* armed = "armed";         // the begin of a subtract_refs
constexpr const char* decrement = "decrement"; // right behind one
constexpr const char* container = "container"; // the container of a decrement to be refused
constexpr const char* hop = "hop";             // a stop on the way, by breakpoints
constexpr const char* refused = "refused";     // at that decrement
} // namespace stage

class WatchCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    app.add_option("address", expression_, "The object, as an expression of the debugger's")
        ->required()
        ->type_name("ADDR");
    declare_file_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_);
    app.add_option("--limit", limit_, "Decrements to stop at (default 100)")
        ->check(CLI::Range(1, 200)) // each is a command inside the one before
        ->type_name("N");
    app.add_option("--stage", stage_)->group("");
    app.add_option("--object", object_)->group("");
    app.add_option("--stop", stop_)->group("");
    declare_watchpoint_option(app, asks_watchpoints_);
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (!surroundings.controls) {
      return fail(ErrorKind::usage, 0, "pygc watch needs a live process in GDB or LLDB");
    }
    if (stage_.empty()) {
      const auto address = surroundings.session.evaluate(expression_);
      if (!address) {
        return std::unexpected(address.error());
      }
      object_ = *address;
      if (!options_.output.empty()) {
        if (auto emptied = deliver(surroundings.session, options_.output, {}); !emptied) {
          return std::unexpected(emptied.error());
        }
      }
    }
    auto open = open_collection(options_, surroundings);
    if (!open) {
      return std::unexpected(open.error());
    }
    const auto why = stop_.empty() ? Result<std::string>() : broken_off(surroundings, stop_);
    if (!why) {
      return std::unexpected(why.error());
    }
    why_ = *why;
    if (!open->located()) {
      return begin(*open, surroundings);
    }
    if (stage_ == stage::hop && !why_.empty()) {
      return stop(surroundings, why_);
    }
    const auto index = open->collection->index_of(object_);
    if (!index) {
      return stop(surroundings, fmt::format("{:#x} is none of the {} containers of this collection",
                                            object_, open->collection->set().objects.size()));
    }
    return follow(*open, surroundings, *index);
  }

private:
  Result<int> begin(OpenCollection& open, session::Surroundings& surroundings) {
    if (!stage_.empty()) {
      return stop(surroundings,
                  why_.empty() ? "the process stopped before the decrement was reached" : why_);
    }
    const auto loops = subtract_loops(*open.context);
    if (!loops) {
      return std::unexpected(loops.error());
    }
    go_on(surroundings, to_collection(*loops), {.stage = stage::armed, .object = object_});
    return status_clean;
  }

  static Result<int> stop(session::Surroundings& surroundings, const std::string& why) {
    surroundings.session.diagnostics(fmt::format("pygc: {}\n", why));
    return status_incomplete;
  }

  Result<int> follow(OpenCollection& open, session::Surroundings& surroundings,
                     std::uint32_t object) {
    const analysis::RunningCollection& collection = *open.collection;
    const auto goals =
        analysis::decrements_to_come(*collection.position(), collection.replay(), object);
    if (!goals) {
      return std::unexpected(goals.error());
    }
    const std::optional<analysis::SubtractGoal> next = goals->next;
    // A debug build does not make a decrement that finds gc_refs 0: it asserts.
    const bool asserts =
        collection.has_links() && open.context->runtime().version.debug && next && next->spent;
    const bool watchpoints = relies_on_watchpoints(open, asks_watchpoints_);
    WalkStep walk;
    const bool at_refused = stage_ == stage::refused;
    if (next && !watchpoints && !at_refused) {
      auto step = walk_to_decrement(open, surroundings, *next, asserts);
      if (!step) {
        return std::unexpected(step.error());
      }
      walk = std::move(*step);
      if (walk.last && walk.actions.empty()) {
        stage_ = stage::refused;
      }
    }
    const bool at_hit = stage_ == stage::decrement || stage_ == stage::refused;
    std::uint64_t number = 0;
    if (at_hit) {
      auto described = describe(open, object, goals->all);
      if (!described) {
        return std::unexpected(described.error());
      }
      const std::optional<WatchHit> hit = std::move(*described);
      if (!hit) {
        return stop(surroundings, why_.empty() ? "the process stopped before the decrement was "
                                                 "reached"
                                               : why_);
      }
      number = hit->number;
      if (auto shown = show(open, surroundings, *hit); !shown) {
        return std::unexpected(shown.error());
      }
    }
    if (stage_ == stage::refused || number >= limit_ || (at_hit && !next)) {
      return status_clean;
    }
    if (!next) {
      return stop(surroundings,
                  fmt::format("no decrement of {:#x} is left in this collection", object_));
    }
    const char* last = asserts ? stage::refused : stage::decrement;
    if (!watchpoints) {
      go_on(surroundings, walk.actions,
            {.stage = walk.last ? last : stage::hop, .object = object_});
    } else if (!asserts) {
      go_on(surroundings, to_decrement(collection, *next),
            {.stage = stage::decrement, .object = object_});
    } else if (next->container != collection.position()->container) {
      go_on(surroundings, to_container(collection, next->container),
            {.stage = stage::container, .object = object_});
    } else {
      go_on(surroundings, to_refused_decrement(collection, *next),
            {.stage = stage::refused, .object = object_});
    }
    return status_clean;
  }

  /// What the process has stopped at; nothing when it is no decrement of the object.
  Result<std::optional<WatchHit>> describe(OpenCollection& open, std::uint32_t object,
                                           std::uint64_t all) const {
    const analysis::RunningCollection& collection = *open.collection;
    const analysis::SubtractPosition& position = *collection.position();
    const bool decremented = position.stored[object] < position.before[object];
    if (!position.inside || (stage_ == stage::decrement && !decremented)) {
      return std::nullopt;
    }
    const auto heap = open.context->heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    analysis::Explainer explainer(open.context->image(), open.context->reader(), **heap);
    WatchHit hit;
    hit.refused = stage_ == stage::refused;
    hit.after = position.stored[object] - (hit.refused ? 1 : 0);
    hit.before = hit.after + 1;
    const auto refcount =
        static_cast<std::int64_t>(collection.set().refcounts[heap::SetIndex(object)]);
    hit.number = static_cast<std::uint64_t>(std::max<std::int64_t>(refcount - hit.after, 0));
    hit.all = all;
    hit.container_index = position.container;
    hit.containers = collection.set().objects.size();
    const Address container = collection.set().objects[heap::SetIndex(position.container)];
    explainer.prepare(std::array{object_, container});
    hit.object = explainer.object(object_);
    hit.visitor = explainer.visitor(container, object_, 1);
    hit.frames = analysis::frame_names(collection.frames(), open.context->image());
    return hit;
  }

  Result<void> show(const OpenCollection& open, session::Surroundings& surroundings,
                    const WatchHit& hit) const {
    const std::string text = options_.json
                                 ? report::watch_json(open.context->subject(), hit)
                                 : report::watch_text(hit, surroundings.style(options_.output));
    // Each comes from a run of its own of this command.
    return options_.output.empty() ? deliver(surroundings.session, {}, text)
                                   : append(options_.output, text);
  }

  session::Options options_;
  std::string expression_;
  std::uint64_t limit_ = 100;
  std::string stage_;
  Address object_ = 0;
  std::string stop_; // an expression: what has stopped the process
  std::string why_;  // it is not where it was to go
  bool asks_watchpoints_ = false;
};

const Registration watch_registration({
    .place = 80,
    .name = "watch",
    .summary = "Show every decrement of an object's gc_refs in the next collection",
    .help = R"(Of a live process in GDB or LLDB: stops behind each decrement, through a
hardware watchpoint, and tells the container, its traverse function and the
stack. Inside subtract_refs the running collection is the one.

Examples:
  pygc watch 0x7f21c2a0
  pygc watch --limit 10 ADDR
  pygc watch --help        (all options)

Status: 0 done, 2 usage or target error, 3 stopped elsewhere before, or there is
no such decrement.)",
    .make = make<WatchCommand>,
});

} // namespace

} // namespace pygc::commands
