#include "common/commands/runtime_command.h"

#include "common/commands/context.h"
#include "common/commands/output_sink.h"
#include "common/commands/paragraph.h"
#include "common/cpython/faulthandler.h"
#include "common/cpython/object_names.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pygc::commands {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(Address address) {
  return fmt::format("{:#x}", address);
}

class RuntimeCommand final : public Command {
public:
  const char* name() const override { return "runtime"; }

  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_output_options(app, options_, true);
  }

  Result<int> run(Surroundings& surroundings) override {
    const auto opened = Context::open_python(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    Context& context = **opened;
    Json runtimes = Json::array();
    std::string text;
    for (const cpython::Runtime& runtime : context.runtimes()) {
      cpython::ObjectReader reader(context.image(), runtime);
      cpython::ObjectNames names(reader);
      const auto state = cpython::read_faulthandler(context.image(), runtime);
      runtimes.push_back(json(runtime, state, names));
      text += plain(runtime, state, names, surroundings.width);
    }
    const Json document = {{"schema", "pygc.runtime/1"}, {"runtimes", std::move(runtimes)}};
    if (options_.json) {
      text = document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
      return std::unexpected(delivered.error());
    }
    return status_clean;
  }

private:
  static Json json(const cpython::Runtime& runtime, const Result<cpython::FaulthandlerState>& state,
                   cpython::ObjectNames& names) {
    Json interpreters = Json::array();
    for (const cpython::Interpreter& interpreter : runtime.interpreters) {
      interpreters.push_back({{"id", interpreter.id},
                              {"address", hex(interpreter.address)},
                              {"gc_state", hex(interpreter.gc_state)},
                              {"enabled", interpreter.enabled},
                              {"collecting", interpreter.collecting},
                              {"finalizing", interpreter.finalizing}});
    }
    Json document = {{"address", hex(runtime.address)},
                     {"image", runtime.module->path()},
                     {"version", runtime.version.text()},
                     {"hexversion", runtime.version.hexversion},
                     {"debug", runtime.version.debug},
                     {"layout", cpython::layout_source_name(runtime.layout_source)},
                     {"layout_detail", runtime.layout_detail},
                     {"interpreters", std::move(interpreters)}};
    if (!state) {
      document["faulthandler"] = nullptr;
      document["faulthandler_problem"] = state.error().reason;
      return document;
    }
    Json entries = Json::array();
    for (const cpython::FaulthandlerEntry& entry : state->entries) {
      entries.push_back(
          {{"name", entry.name},
           {"enabled", entry.enabled},
           {"slot", hex(entry.file_slot)},
           {"file", entry.file == 0 ? Json(nullptr) : Json(hex(entry.file))},
           {"summary", entry.file == 0 ? Json(nullptr) : Json(names.summary(entry.file))},
           {"fd", entry.fd},
           {"all_threads", entry.all_threads},
           {"chain", entry.chain}});
    }
    document["faulthandler"] = {
        {"where", state->where},
        {"address", state->address == 0 ? Json(nullptr) : Json(hex(state->address))},
        {"entries", std::move(entries)}};
    return document;
  }

  static std::string plain(const cpython::Runtime& runtime,
                           const Result<cpython::FaulthandlerState>& state,
                           cpython::ObjectNames& names, unsigned width) {
    std::string text = paragraph(
        fmt::format("CPython {} {}, _PyRuntime at {:#x} of {}, layout: {} ({})",
                    runtime.version.text(), runtime.version.debug ? "debug" : "release",
                    runtime.address, runtime.module->path(),
                    cpython::layout_source_name(runtime.layout_source), runtime.layout_detail),
        width);
    for (const cpython::Interpreter& interpreter : runtime.interpreters) {
      text +=
          paragraph(fmt::format("interpreter {} at {:#x}: collector {}{}{}", interpreter.id,
                                interpreter.address, interpreter.enabled ? "enabled" : "disabled",
                                interpreter.collecting ? ", a collection is running" : "",
                                interpreter.finalizing ? ", finalising" : ""),
                    width);
    }
    if (!state) {
      return text + paragraph("faulthandler: " + state.error().reason, width);
    }
    text += fmt::format("faulthandler ({}):\n", state->where);
    for (const cpython::FaulthandlerEntry& entry : state->entries) {
      std::string line =
          fmt::format("{}: {}", entry.name, entry.enabled ? "enabled" : "not enabled");
      if (entry.file != 0) {
        line += fmt::format(", file {} at {:#x}", names.summary(entry.file), entry.file);
      }
      if (entry.enabled) {
        line += fmt::format(", fd {}{}{}", entry.fd, entry.all_threads ? ", all threads" : "",
                            entry.chain ? ", chained" : "");
      }
      text += paragraph(line, width, 2);
    }
    return text;
  }

  Options options_;
};

} // namespace

std::unique_ptr<Command> make_runtime_command() {
  return std::make_unique<RuntimeCommand>();
}

} // namespace pygc::commands
