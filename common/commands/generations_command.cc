#include "common/commands/generations_command.h"

#include "common/base/numbers.h"
#include "common/commands/context.h"
#include "common/commands/output_sink.h"
#include "common/commands/paragraph.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;

struct TypeCount {
  std::string name;
  std::uint64_t objects = 0;
};

struct ListView {
  std::int64_t interpreter = 0;
  const cpython::Generation* generation = nullptr;
  std::uint64_t objects = 0;
  bool whole = true; // the list was walked from end to end
  std::vector<TypeCount> types;
};

class GenerationsCommand final : public Command {
public:
  const char* name() const override { return "generations"; }

  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_runtime_option(app, options_);
    declare_output_options(app, options_, true);
    app.add_option("--top", top_, "Types shown for each generation (default 5)")
        ->check(CLI::Range(0, 10000))
        ->type_name("N");
  }

  Result<int> run(Surroundings& surroundings) override {
    const auto opened = Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    Context& context = **opened;
    const auto heap = context.heap();
    if (!heap) {
      return std::unexpected(heap.error());
    }
    context.tell_other_runtimes();
    const std::vector<ListView> lists = view(context, **heap);
    const std::string text =
        options_.json ? json(context, lists) : plain(context, lists, surroundings.width);
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    const bool whole = std::ranges::all_of(lists, &ListView::whole);
    return whole ? status_clean : status_incomplete;
  }

private:
  std::vector<ListView> view(Context& context, const heap::Heap& heap) const {
    std::vector<ListView> lists;
    for (const heap::ListRange& list : heap.lists) {
      const auto& interpreter = context.runtime().interpreters[list.interpreter];
      ListView one;
      one.interpreter = interpreter.id;
      one.generation = &interpreter.generations[list.generation];
      one.objects = list.count;
      one.whole = std::ranges::none_of(heap.corruptions, [&](const heap::Corruption& c) {
        return c.interpreter == list.interpreter && c.generation == list.generation;
      });
      std::unordered_map<Address, std::uint64_t> by_type;
      for (std::size_t i = list.first; i < list.first + list.count; ++i) {
        ++by_type[heap.types[i]];
      }
      for (const auto& [type, count] : by_type) {
        one.types.push_back({context.reader().type(type).name, count});
      }
      std::ranges::sort(one.types, [](const TypeCount& a, const TypeCount& b) {
        return a.objects != b.objects ? a.objects > b.objects : a.name < b.name;
      });
      one.types.resize(std::min(one.types.size(), static_cast<std::size_t>(top_)));
      lists.push_back(std::move(one));
    }
    return lists;
  }

  static std::string plain(const Context& context, const std::vector<ListView>& lists,
                           unsigned width) {
    std::string text;
    for (const cpython::Interpreter& interpreter : context.runtime().interpreters) {
      text += fmt::format("interpreter {}: collector {}{}\n", interpreter.id,
                          interpreter.enabled ? "enabled" : "disabled",
                          interpreter.collecting ? ", a collection is running" : "");
      for (const ListView& list : lists) {
        if (list.interpreter != interpreter.id) {
          continue;
        }
        text += fmt::format("  {:<10} {:>11} objects   count {:>6}   threshold {:>6}{}\n",
                            list.generation->name, grouped(list.objects), list.generation->count,
                            list.generation->threshold,
                            list.whole ? "" : "   (damaged: see pygc check)");
        std::string types;
        for (const TypeCount& type : list.types) {
          types += fmt::format("{}{} {}", types.empty() ? "" : ", ", grouped(type.objects),
                               type.name.empty() ? "?" : type.name);
        }
        if (!types.empty()) {
          text += paragraph(types, width, 4);
        }
      }
    }
    return text;
  }

  static std::string json(const Context& context, const std::vector<ListView>& lists) {
    Json interpreters = Json::array();
    for (const cpython::Interpreter& interpreter : context.runtime().interpreters) {
      Json generations = Json::array();
      for (const ListView& list : lists) {
        if (list.interpreter != interpreter.id) {
          continue;
        }
        Json types = Json::array();
        for (const TypeCount& type : list.types) {
          types.push_back({{"type", type.name}, {"objects", type.objects}});
        }
        generations.push_back({{"name", list.generation->name},
                               {"address", fmt::format("{:#x}", list.generation->head)},
                               {"count", list.generation->count},
                               {"threshold", list.generation->threshold},
                               {"objects", list.objects},
                               {"whole", list.whole},
                               {"types", std::move(types)}});
      }
      interpreters.push_back({{"id", interpreter.id},
                              {"address", fmt::format("{:#x}", interpreter.address)},
                              {"enabled", interpreter.enabled},
                              {"collecting", interpreter.collecting},
                              {"generations", std::move(generations)}});
    }
    const Json document = {{"schema", "pygc.generations/1"},
                           {"interpreters", std::move(interpreters)}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  Options options_;
  int top_ = 5;
};

} // namespace

std::unique_ptr<Command> make_generations_command() {
  return std::make_unique<GenerationsCommand>();
}

} // namespace pygc::commands
