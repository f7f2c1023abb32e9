// `pygc version`.
#include "common/commands/output_sink.h"
#include "common/commands/registry.h"
#include "common/report/version_view.h"

#include <CLI/CLI.hpp>

namespace pygc::commands {
namespace {

class VersionCommand final : public Command {
public:
  void declare(CLI::App& app) override { declare_output_options(app, options_); }

  Result<int> run(session::Surroundings& surroundings) override {
    if (auto delivered = deliver(surroundings.session, options_.output,
                                 options_.json ? report::version_json() : report::version_text());
        !delivered) {
      return std::unexpected(delivered.error());
    }
    return status_clean;
  }

private:
  session::Options options_;
};

const Registration version_registration({
    .place = 120,
    .name = "version",
    .summary = "Print the version of pygc",
    .help = R"(Example:
  pygc version)",
    .make = make<VersionCommand>,
});

} // namespace

} // namespace pygc::commands
