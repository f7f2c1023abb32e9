// `pygc layout`: a target's struct offsets from DWARF, as a layout table.
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/cpython/layout.h"
#include "common/cpython/version.h"
#include "common/report/layout_view.h"
#include "common/session/context.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class LayoutCommand final : public Command {
public:
  void declare(CLI::App& app) override {
    declare_target_options(app, options_);
    declare_output_options(app, options_);
    app.add_option("--vendor", vendor_, "Who built the interpreter: upstream, debian, ...")
        ->type_name("NAME");
  }

  Result<int> run(session::Surroundings& surroundings) override {
    auto opened = session::Context::open(options_, surroundings);
    if (!opened) {
      return std::unexpected(opened.error());
    }
    const image::ProcessImage& image = (*opened)->image();
    for (const auto& module : image.modules()) {
      const auto runtime = module->find_symbol("_PyRuntime");
      if (!runtime) {
        continue;
      }
      const auto version = cpython::read_version(image, *module, runtime->address);
      if (!version) {
        return std::unexpected(version.error());
      }
      const auto table = describe(*module, *version);
      if (!table) {
        return std::unexpected(table.error());
      }
      report::Subject subject = (*opened)->subject();
      subject.python = report::Python{.version = *version,
                                      .layout_source = cpython::LayoutSource::dwarf,
                                      .layout_detail = module->debug_file_path(),
                                      .image = module->path()};
      const std::string text = options_.json ? report::layout_json(subject, *table) : *table;
      if (auto delivered = deliver(surroundings.session, options_.output, text); !delivered) {
        return std::unexpected(delivered.error());
      }
      return status_clean;
    }
    return fail(ErrorKind::no_runtime, 0, "no loaded image has a symbol _PyRuntime");
  }

private:
  /// The target needs no layout that is known already: a table is made for one that is not.
  Result<std::string> describe(const image::Module& module, const cpython::Version& version) const {
    const auto structs = module.layouts(cpython::layout_queries());
    if (!structs) {
      return std::unexpected(structs.error());
    }
    if (const auto layout = cpython::make_layout(*structs); !layout) {
      return std::unexpected(layout.error());
    }
    return cpython::format_layout_table(*structs, version.text(), version.debug, vendor_);
  }

  session::Options options_;
  std::string vendor_ = "upstream";
};

const Registration layout_registration({
    .place = 110,
    .name = "layout",
    .summary = "Write the layout table of a CPython that has debug information",
    .help = R"(For those who add a build to the tables that serve targets without debug
information (docs/layouts.md).

Example:
  pygc layout --vendor debian --output debian-3.14.10-release.json

Status: 0 done, 2 usage or target error.)",
    .make = make<LayoutCommand>,
});

} // namespace

} // namespace pygc::commands
