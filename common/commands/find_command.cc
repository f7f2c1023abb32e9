// `pygc find`: the tracked objects that have something in common.
#include "common/analysis/explore/object_search.h"
#include "common/commands/explore_target.h"
#include "common/commands/registry.h"
#include "common/report/find_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>
#include <array>
#include <fmt/format.h>
#include <string>

namespace pygc::commands {
namespace {

using analysis::Field;

constexpr std::size_t piece_size = std::size_t{1} << 16; // of what goes to the session at a time

class FindCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_heap_options(app, options_);
    for (Name& name : names_) {
      app.add_option(name.option, name.value, name.help)->type_name(name.type);
    }
    for (Name& range : ranges_) {
      app.add_option(range.option, range.value, range.help)->type_name("RANGE");
    }
    app.add_option("--where", where_, "Only objects of which this is true, see below")
        ->type_name("EXPRESSION");
    app.add_flag("--with-gc-refs", question_.gc_refs, "Tell gc_refs, too");
    app.add_option("--limit", question_.limit, "Objects shown (default: all)")
        ->check(CLI::Range(0, 1000000000))
        ->type_name("N");
    app.add_flag("--json-lines", json_lines_, "Print a JSON object a line, and no document");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    if (auto added = add_filters(); !added) {
      return std::unexpected(added.error());
    }
    const auto opened = session::Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    session::Context& context = **opened;
    const auto heap = context.heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    question_.replayer = [&context] { return context.replayer(); };
    question_.cancelled = [&surroundings] { return surroundings.session.cancelled(); };
    auto found = analysis::find_objects(context.image(), context.reader(), **heap, question_);
    if (!found) {
      return std::unexpected(found.error());
    }
    add_target_reasons(context, found->incomplete_because);
    if (found->count() == 0) {
      const auto unknown = unknown_type(context.reader(), **heap, names_.front().value);
      surroundings.session.diagnostics(
          unknown
              ? "pygc: " + *unknown + "\n"
              : fmt::format("pygc: none of {} tracked objects is such\n", (*heap)->objects.size()));
    }
    return stream_answer(
        context, surroundings, options_, found->incomplete_because.empty(),
        [&](const std::function<Result<void>(std::string_view)>& write) -> Result<void> {
          std::string piece;
          auto told = tell(context, *found, surroundings.numbering,
                           [&](std::string_view text) -> Result<void> {
                             piece += text;
                             if (piece.size() < piece_size) {
                               return {};
                             }
                             auto written = write(piece);
                             piece.clear();
                             return written;
                           });
          return told ? write(piece) : told;
        });
  }

private:
  struct Name {
    Field field;
    const char* option;
    const char* help;
    const char* type;
    std::string value = {};
  };

  Result<void> add_filters() {
    for (const Name& name : names_) {
      if (!name.value.empty()) {
        question_.filters.push_back(analysis::name_filter(name.field, name.value));
      }
    }
    for (const Name& range : ranges_) {
      if (range.value.empty()) {
        continue;
      }
      auto filter = analysis::parse_range(range.field, range.value);
      if (!filter) {
        return std::unexpected(filter.error());
      }
      question_.filters.push_back(std::move(*filter));
    }
    if (!where_.empty()) {
      auto filter = analysis::parse_filter(where_);
      if (!filter) {
        return std::unexpected(filter.error());
      }
      question_.filters.push_back(std::move(*filter));
    }
    return {};
  }

  Result<void> tell(const session::Context& context, analysis::FoundObjects& found,
                    report::Numbering& numbering,
                    const std::function<Result<void>(std::string_view)>& write) const {
    if (json_lines_) {
      return report::write_found_json_lines(found, write);
    }
    return options_.json ? report::write_found_json(context.subject(), found, write)
                         : report::write_found_text(found, numbering, write);
  }

  session::Options options_;
  std::array<Name, 3> names_ = {
      {{Field::type, "--type", "Only of types with such a name: Session, app.*, *Error", "PATTERN"},
       {Field::module, "--module", "Only of types of such a module: app, app.*", "PATTERN"},
       {Field::attribute, "--attribute", "Only those that have this attribute themselves",
        "NAME"}}};
  std::array<Name, 3> ranges_ = {
      {{Field::size, "--size", "Only of so many bytes: 56, 1k.., ..4k, 1k..1M", "RANGE"},
       {Field::refcount, "--refcount", "Only with so many references: 1, 1000..", "RANGE"},
       {Field::gc_refs, "--gc-refs", "Only with so many references that are no visits: 1.., ..-1",
        "RANGE"}}};
  std::string where_;
  bool json_lines_ = false;
  analysis::FindQuestion question_;
};

const Registration find_registration({
    .place = 19,
    .name = "find",
    .summary = "Find tracked objects by type, module, attribute, size and counts",
    .help = R"(Writes one line for each object, in the collector's order:
  $N 0xADDRESS refcount gc_refs size type summary
$N stands for the object in other commands, until another list is shown (see
pygc object --help).
gc_refs is - where nothing asked for it. An EXPRESSION compares type, module and
attribute (with = and !=, patterns have * and ?), size, refcount and gc_refs
(with <, <=, >, >=, too), and combines that by and, or, not and parentheses.

Examples:
  pygc find --type Session
  pygc find --module "app*" --size 48.. --json
  pygc find --where "(refcount > 9 or size >= 1M) and type = dict"
  pygc find --help         (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)",
    .make = make<FindCommand>,
});

} // namespace

} // namespace pygc::commands
